#!/usr/bin/python3
"""A small site behind signet-gateway: a page for anyone, a link to log in with a certificate, and an
account that knows who came. See gateway.toml beside it.

usage: site.py [PORT]     on 127.0.0.1; without PORT a free one, printed as {"listening": PORT}

It believes the field Signet-Identities, so nobody but the gateway may reach it.
"""
import html
import http.server
import json
import sys

PAGE = """<!doctype html>
<meta charset="utf-8">
<title>{title}</title>
<h1>{title}</h1>
{body}
"""

LANDING = """<p>This page is for anyone: nobody was asked for a certificate.</p>
<p><a href="/login">Log in with a certificate</a></p>"""

ACCOUNT = """<p>You are logged in as <b>{subject}</b>, certified by {issuer}.</p>
<p>It is the connection from before: nobody logged out, nobody connected again.</p>"""

TRY_AGAIN = '<p><a href="/login">Try again</a>, or <a href="/">go back</a>.</p>'

# What went wrong, by the gateway's word for it: a title, and what to do.
MISSING = {
    "declined": ("You were not logged in", "No certificate was shown: you declined, or have none that this site "
                 "takes. Insert your card, or ask the administrator for a certificate."),
    "timeout": ("You were not logged in", "Nobody answered in time. Signet asks on your screen, or on the terminal "
                "of your session."),
    "not-supported": ("Your program can't log in here", "It does not show certificates in the middle of a connection. "
                      "Use one that speaks Signet, such as signet-fetch."),
    "untrusted": ("This certificate is not taken here", "It is not of an authority that this site trusts. Choose "
                  "another one."),
    "invalid": ("This certificate could not be checked", "The proof was not valid. Choose another one, or report this "
                "to the administrator."),
}

# Without the gateway's field: something else stands in front of the site.
NO_GATEWAY = ("This server can't ask for certificates", "It does not speak the extension, so nobody can log in here. "
              "The operator has to put signet-gateway in front of this site.")


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/":
            self.answer(200, "Welcome", LANDING)
        elif path in ("/login", "/account"):
            self.answer_to_person(path)
        else:
            self.answer(404, "There is no such page", '<p><a href="/">Go back</a>.</p>')

    do_HEAD = do_GET

    def answer_to_person(self, path):
        told = self.headers.get("Signet-Identities")
        if not told:
            title, advice = NO_GATEWAY
            self.answer(501, title, f"<p>{advice}</p>")
            return
        told = json.loads(told)
        if not told["identities"]:
            title, advice = MISSING.get(told["missing"][0]["error"], MISSING["declined"])
            self.answer(403, title, f"<p>{advice}</p>{TRY_AGAIN}")
        elif path == "/login":
            self.answer(303, "You are logged in", '<p><a href="/account">Your account</a></p>',
                        [("Location", "/account")])
        else:
            person = {key: html.escape(value) for key, value in told["identities"][0].items()}
            self.answer(200, "Your account", ACCOUNT.format(**person))

    def answer(self, status, title, body, fields=()):
        page = PAGE.format(title=title, body=body).encode()
        self.send_response(status)
        for name, value in [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(page))),
                            ("Cache-Control", "private, no-store"), *fields]:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page)

    def log_message(self, *_):
        pass  # the gateway's log says more


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Site)
    print(json.dumps({"listening": server.server_port}), flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
