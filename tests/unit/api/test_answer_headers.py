"""What is sent as headers is what Werkzeug would send, whether it makes a copy or not."""

import pytest
from flask import Flask, Response

from service.app import Answer

SENT = [
    Response(b"abc", content_type="text/plain"),
    Response(b"abc", headers=[("Content-Type", "text/plain"), ("Vary", "Accept"), ("Vary", "Origin")]),
    Response(iter([b"abc"]), content_type="text/plain"),
    Response(b"", status=204),
    Response(b"abc", status=304, headers={"Content-Type": "text/plain", "ETag": '"1"'}),
    Response(b"abc", status=201, headers={"Location": "/v1/reports/\u00e9"}),
    Response(b"abc", headers={"Content-Location": "/v1/\u00e9"}),
    Response(b"abc", headers={"location": "/v1/\u00e9"}),
]


@pytest.mark.parametrize("sent", SENT)
def test_headers_are_those_of_werkzeug(sent: Response) -> None:
    environ = Flask("x").test_request_context("/v1/convert").request.environ
    expected = sent.get_wsgi_headers(environ).to_wsgi_list()
    answer = Answer.force_type(sent)
    assert isinstance(answer, Answer)
    assert answer.get_wsgi_headers(environ).to_wsgi_list() == expected


def test_the_service_answers_so(app: Flask) -> None:
    assert app.response_class is Answer
