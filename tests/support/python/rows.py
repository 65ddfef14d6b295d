"""Tables of behaviours: each row becomes a test of its own, named after the rule that it breaks."""


def rows(check, **table):
    """A class decorator: for each row NAME=VALUE a test_NAME that calls check(self, VALUE)."""
    def add(test_case):
        for name, value in table.items():
            method = f"test_{name}"
            if method in vars(test_case):
                raise NameError(f"{method} occurs twice")

            def test(self, value=value):
                check(self, value)
            test.__name__ = method
            setattr(test_case, method, test)
        return test_case
    return add
