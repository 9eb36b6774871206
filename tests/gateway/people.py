"""People at the gateway's door: with a login, a browser's cookie, and the token against forged requests."""

from http.cookies import SimpleCookie

PASSWORD = "correct horse 电池"

OPERATOR = {"by": "u-op", "roles": ("operator",)}


def add_user(gateway, login, *, roles=("recorder",), district=None, password=PASSWORD):
    """A new user's id."""
    said = {"login": login, "password": password, "roles": list(roles), "district": district}
    answered = gateway.post("/api/v1/users", said, **OPERATOR)
    assert answered.status == 201, answered.content
    return answered.body["id"]


def try_login(gateway, login, password=PASSWORD, **headers):
    told = {"Content-Type": "application/json", **headers}
    return gateway.ask("POST", "/api/v1/login", body={"login": login, "password": password}, token="", headers=told)


class Person:
    """Somebody who has logged in."""

    def __init__(self, gateway, login, password=PASSWORD):
        self.gateway = gateway
        self.answered = try_login(gateway, login, password)
        assert self.answered.status == 200, self.answered.content
        (self.cookie,) = SimpleCookie(self.answered.headers["Set-Cookie"]).values()
        self.id, self.csrf_token = self.answered.body["id"], self.answered.body["csrf_token"]

    def get(self, path):
        return self._ask("GET", path)

    def post(self, path, body=None, *, csrf=None, **headers):
        """With the right token against forged requests, unless another one is said ("": none)."""
        csrf = self.csrf_token if csrf is None else csrf
        return self._ask("POST", path, body=body or {}, **({"X-CSRF-Token": csrf} if csrf else {}), **headers)

    def _ask(self, method, path, *, body=None, **headers):
        told = {"Cookie": f"{self.cookie.key}={self.cookie.value}", **headers}
        return self.gateway.ask(method, path, body=body, token="", headers=told)
