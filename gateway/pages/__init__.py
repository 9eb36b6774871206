"""HTML pages: templates, assets and the policy under which a browser shows them."""
