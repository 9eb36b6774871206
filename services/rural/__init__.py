"""Rural: professional technical associations, service points in villages, and the money granted for them."""
