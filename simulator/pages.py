"""The HTML pages on which a customer logs in and consents. Plain forms: they work without JavaScript."""

from html import escape

_STYLE = """
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;
background:light-dark(#eef2f0,#16201c)}
main{width:min(26rem,calc(100vw - 2rem));box-sizing:border-box;padding:1.5rem 2rem 2rem;border-radius:1rem;
background:light-dark(#fff,#22302a);box-shadow:0 4px 24px #0003}
h1{font-size:1.35rem;margin:.5rem 0 1rem}
label{display:block;font-weight:600;margin-bottom:.25rem}
input{font:inherit;width:100%;box-sizing:border-box;padding:.6rem;border:1px solid #7a8a83;border-radius:.5rem}
button{font:inherit;font-weight:600;padding:.6rem 1.2rem;margin:1rem .5rem 0 0;border-radius:.5rem;
border:1px solid #1b6b4a;background:#1b6b4a;color:#fff;cursor:pointer}
button.quiet{background:none;color:inherit}
:focus-visible{outline:3px solid #e0a100;outline-offset:2px}
.brand{font-weight:700;margin:0;color:light-dark(#1b6b4a,#7fd1ac)}
.note{border-left:4px solid #e0a100;padding:.5rem 1rem;margin:1rem 0;background:light-dark(#fff7e0,#3a3217)}
#error{border-left:4px solid #b3261e;padding:.5rem 1rem;background:light-dark(#fdecea,#45201d)}
"""


def _page(title: str, content: str, error: str | None = None) -> str:
    alert = f'<p id="error" role="alert">{escape(error)}</p>' if error else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,"><style>{_STYLE}</style></head>'
        f'<body><main><p class="brand">Nomos (simulated)</p><h1>{escape(title)}</h1>{alert}{content}'
        "</main></body></html>\n"
    )


def _form(step: str, session: str, content: str) -> str:
    return (
        f'<form method="post" action="/oauth/authorize/{step}">'
        f'<input type="hidden" name="session" value="{escape(session)}">{content}</form>'
    )


def email_page(session: str, email: str = "", error: str | None = None) -> str:
    """Return the page that asks for the contract's e-mail address."""
    return _page(
        "Log in",
        _form(
            "email",
            session,
            '<label for="email">E-mail address of your contract</label>'
            f'<input id="email" name="email" type="email" autocomplete="email" required value="{escape(email)}">'
            '<button id="continue" type="submit">Continue</button>',
        ),
        error,
    )


def code_page(session: str, code: str | None, error: str | None = None) -> str:
    """Return the page that asks for the one-time code; the simulated mailbox shows it."""
    mailbox = (
        '<p class="note" id="mailbox">Simulated mailbox: your one-time code is '
        f'<strong id="mailbox-code">{code}</strong>. The real Nomos sends it by e-mail.</p>'
        if code
        else ""
    )
    return _page(
        "Enter your code",
        mailbox
        + _form(
            "code",
            session,
            '<label for="code">Six-digit code from the e-mail</label>'
            '<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9]{6}" '
            'maxlength="6" required>'
            '<button id="continue" type="submit">Continue</button>',
        ),
        error,
    )


def consent_page(session: str, client_id: str) -> str:
    """Return the page on which the customer allows or denies."""
    return _page(
        "Share your contract data?",
        f"<p>The application <strong>{escape(client_id)}</strong> would like to read your contracts, electricity "
        "prices, usage and invoices. It cannot change anything. You can end this at any time in the customer "
        "portal.</p>"
        + _form(
            "consent",
            session,
            '<button id="allow" type="submit" name="decision" value="allow">Allow</button>'
            '<button id="deny" class="quiet" type="submit" name="decision" value="deny">Deny</button>',
        ),
    )


def error_page(message: str) -> str:
    """Return the page that ends the sign-in without going back to the application."""
    return _page(
        "This did not work",
        "<p>You can close this page and start again in your application.</p>",
        message,
    )
