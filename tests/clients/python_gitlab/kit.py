"""What the scripts share: whose tokens there are, and how they say what was expected.

The server has the groups acme, acme/sub, acme/sub/deep and other, and the projects acme/p1, acme/sub/p2,
acme/sub/deep/p3 and other/p9, all of them private. Alice owns acme; bob is Maintainer there, carol Developer, dave
Reporter, paula Planner and erin Guest. Oscar owns other. Frank and xenia, who is external, have no role. Root is an
administrator. The server's clock stands still.
"""

import datetime
import faulthandler
import os
import re
import warnings

import gitlab

# Whatever hangs, ends, and shows where.
faulthandler.dump_traceback_later(120, exit=True)
# The library warns of what it finds odd in an answer.
warnings.simplefilter("error")

URL = os.environ["LATCHKEY_URL"]
TODAY = datetime.date.fromisoformat(os.environ["LATCHKEY_TODAY"])
TOKEN = r"glpat-[0-9A-Za-z_.-]{20,}"


def token_of(role):
    """The value of the token of OWNER, ADMIN and so on."""
    return os.environ[f"LATCHKEY_{role}_TOKEN"]


def connect(role):
    """The library, with the token of this role."""
    return connect_with(token_of(role))


def connect_with(value):
    """The library, with a token of this value."""
    return gitlab.Gitlab(URL, private_token=value, timeout=20)


def days_ahead(days):
    """The date so many days from now."""
    return (TODAY + datetime.timedelta(days=days)).isoformat()


def same(actual, expected, what=""):
    """Fails unless the two are equal."""
    assert actual == expected, f"{what}: expected {expected!r}, got {actual!r}"


def has(thing, **expected):
    """Fails unless the attributes of the thing are these."""
    for name, value in expected.items():
        same(getattr(thing, name), value, name)


def matches(text, pattern):
    """Fails unless the whole text matches."""
    assert re.fullmatch(pattern, text), f"expected {pattern}, got {text!r}"


def refused(exception, status, message, action, *arguments, **options):
    """Fails unless the action is refused with just this exception, status and message."""
    try:
        result = action(*arguments, **options)
    except gitlab.exceptions.GitlabError as error:
        same(type(error), exception, message)
        same((error.response_code, error.error_message), (status, message))
    else:
        raise AssertionError(f"expected {status} {message}, got {result!r}")


def dead(value):
    """Fails unless a token of this value no longer lets anybody in."""
    unauthorized = gitlab.exceptions.GitlabAuthenticationError
    refused(unauthorized, 401, "invalid_token", connect_with(value).auth)


def ids(things):
    """The ids of a list."""
    return [thing.id for thing in things]


def names(things):
    """The names of a list."""
    return [thing.name for thing in things]
