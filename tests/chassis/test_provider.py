"""A provider gives every worker the same."""

from services.chassis.provider import Provider


class AnswerProvider(Provider[int]):
    def provide(self):
        return 42


def test_what_it_provides_is_what_every_worker_gets():
    provider = AnswerProvider()

    assert provider.get_dependency(None) == provider.provide() == 42
