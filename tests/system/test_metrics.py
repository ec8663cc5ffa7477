"""What a node tells those who watch it: /metrics in Prometheus' text format, and /readyz with each dependency by its name."""
import re

import requests

from kit import stack
from kit.metrics import Page
from kit.rest import API
from kit.twiml import doc
from kit.webapp import Reply


def test_the_whole_page_parses_and_its_histograms_add_up(rest):
    rest.get("/Calls.json")
    page = Page()
    assert len(page.types) > 30
    checked = 0
    for (name, labels), count in page.samples.items():
        family = name.removesuffix("_count")
        if family == name or page.types.get(family) != "histogram":
            continue
        buckets = [v for (n, ls), v in page.samples.items() if n == family + "_bucket" and tuple(x for x in ls if x[0] != "le") == labels]
        bounds = [dict(ls)["le"] for n, ls in page.samples if n == family + "_bucket" and tuple(x for x in ls if x[0] != "le") == labels]
        assert buckets == sorted(buckets) and buckets[-1] == count, name
        assert bounds[-1] == "+Inf" and [float(b) for b in bounds] == sorted({float(b) for b in bounds}), name
        checked += 1
    assert checked > 20


def test_names_keep_to_the_conventions_and_name_no_customer(rest, domains, web):
    domain = domains(web.serve("/secret-path", doc("<Reject/>")))
    page = Page()
    for name, kind in page.types.items():
        assert name.startswith(("hookswitch_", "process_")), name
        assert name.endswith("_total") == (kind == "counter"), name
    for foreign in (domain.sid, domain.name, "secret-path", "127.0.0.1", rest.session.auth[0], rest.session.auth[1]):
        assert foreign not in page.text
    assert not re.search("[A-Z]{2}[0-9a-f]{32}", page.text)


def test_the_process_and_the_dependencies_are_there():
    page = Page()
    for dependency in ("database", "kamailio", "rtpengine"):
        assert page("hookswitch_dependency_up", dependency=dependency) == 1
    assert page("process_resident_memory_bytes") > 1e6 and page("process_cpu_seconds_total") > 0
    assert 5 < page("process_open_fds") < page("process_max_fds")
    assert page("process_start_time_seconds") > 1.7e9
    assert re.search(r'^hookswitch_build_info\{version="[^"]+",compiler="[^"]+"\} 1$', page.text, re.M)


def test_an_answered_call_moves_the_series_of_all_its_parts(phone, web, domains, wav):
    web.serve("/a.wav", Reply(wav(440, 20), content_type="audio/wav"))
    domain = domains(web.serve("/v", doc("<Play>/a.wav</Play>")), VoiceStatusCallbackUrl=web.serve("/sc", Reply("", 204)))
    before = stack.wait_for(lambda: idle(Page()), what="a node without calls")
    call = phone.invite(domain.uri())
    assert call.wait_final().status == 200
    call.rtp.wait_audio(0.3)
    assert Page()("hookswitch_calls_active") == 1
    # Another process's is looked at every second.
    stack.wait_for(lambda: Page()("hookswitch_media_ports_open") >= 1, 3, "an open port")
    call.bye()
    web.wait("/sc")
    after = stack.wait_for(lambda: finished(Page()), what="no call, nothing queued, no request")

    def moved(name, **labels):
        return after(name, **labels) - before(name, **labels)

    assert moved("hookswitch_calls_started_total", direction="inbound") == 1
    assert moved("hookswitch_calls_answered_total", direction="inbound") == 1
    assert moved("hookswitch_calls_total", direction="inbound", status="completed") == 1
    assert moved("hookswitch_calls_total", direction="inbound", status="failed") == 0
    assert moved("hookswitch_call_answer_seconds_count") == 1 and moved("hookswitch_call_duration_seconds_count") == 1
    assert 0 < moved("hookswitch_call_answer_seconds_sum") < 10
    for kind in ("voice", "media", "status_callback"):
        assert moved("hookswitch_webhook_requests_total", kind=kind, result="2xx") == 1, kind
        assert moved("hookswitch_webhook_stage_seconds_count", kind=kind, stage="total") == 1, kind
        assert moved("hookswitch_webhook_stage_seconds_count", kind=kind, stage="first_byte") == 1, kind
        assert moved("hookswitch_webhook_stage_seconds_count", kind=kind, stage="tls") == 0, kind
    assert moved("hookswitch_webhook_stage_seconds_count", kind="voice", stage="connect") == 1
    assert moved("hookswitch_media_packets_total", direction="sent") >= 10
    assert moved("hookswitch_database_statements_total", outcome="ok") >= 3
    assert moved("hookswitch_kamailio_events_total") >= 2 and moved("hookswitch_kamailio_commands_total") >= 2
    assert moved("hookswitch_rtpengine_commands_total") >= 2 and moved("hookswitch_rtpengine_command_seconds_count") >= 2
    assert after("hookswitch_calls_limit") > 0


def idle(page):
    return page if page("hookswitch_calls_active") == 0 and page("hookswitch_media_ports_open") == 0 else None


def finished(page):
    quiet = ("hookswitch_webhook_requests_active", "hookswitch_store_queue_rows", "hookswitch_status_callbacks_waiting")
    return page if idle(page) and not any(page(name) for name in quiet) else None


def test_a_webhook_that_fails_is_counted_by_its_failure_and_its_fallback_apart(phone, web, domains):
    before = Page()
    domain = domains(web.serve("/v", Reply("no", 500)), VoiceFallbackUrl=web.serve("/fb", doc('<Reject reason="busy"/>')))
    assert phone.invite(domain.uri()).wait_final().status == 486
    nobody = domains("http://127.0.0.1:9/v")
    phone.invite(nobody.uri()).wait_final()
    after = stack.wait_for(lambda: finished(Page()), what="no call")

    def moved(name, **labels):
        return after(name, **labels) - before(name, **labels)

    assert moved("hookswitch_webhook_requests_total", kind="voice", result="5xx") == 1
    assert moved("hookswitch_webhook_requests_total", kind="fallback", result="2xx") == 1
    assert moved("hookswitch_webhook_requests_total", kind="voice", result="connect") == 2, "the request and its retry"
    assert moved("hookswitch_webhook_retries_total", kind="voice") == 1
    assert moved("hookswitch_calls_total", direction="inbound", status="busy") == 1
    assert moved("hookswitch_notifications_total", level="error") >= 2


def test_a_refused_invite_is_counted_and_is_no_call(phone, domains, web):
    domain = domains(web.serve("/v", doc("<Reject/>")), allow=("192.0.2.1",))
    before = Page()
    assert phone.invite(domain.uri()).wait_final().status in (401, 403, 407)
    after = stack.wait_for(lambda: grown(before, "hookswitch_calls_refused_total", reason="sip"), what="the refusal")
    assert after("hookswitch_calls_started_total", direction="inbound") == before("hookswitch_calls_started_total", direction="inbound")


def grown(before, name, **labels):
    page = Page()
    return page if page(name, **labels) > before(name, **labels) else None


def test_rest_requests_are_counted_by_method_and_class_and_scrapes_are_not(rest):
    before = Page()
    rest.get("/Calls.json")
    rest.call("GET", "/SIP/Domains/SD00000000000000000000000000000000.json", 404)
    rest.call("POST", "/SIP/Domains.json", 400)
    rest.call("PUT", "/SIP/Domains.json")
    for path in ("/healthz", "/readyz", "/metrics"):
        requests.get(API + path, timeout=10)
    after = Page()
    for method, status, n in (("GET", "2xx", 1), ("GET", "4xx", 1), ("POST", "4xx", 1), ("other", "4xx", 1), ("GET", "5xx", 0)):
        got = after("hookswitch_rest_requests_total", method=method, status=status) - before("hookswitch_rest_requests_total", method=method, status=status)
        assert got == n, (method, status, got)
    assert after("hookswitch_rest_request_seconds_count", method="GET") - before("hookswitch_rest_request_seconds_count", method="GET") == 2


def test_readyz_names_each_dependency_with_its_state():
    r = requests.get(API + "/readyz", timeout=10)
    assert r.status_code == 200
    assert r.json() == {"status": "ok", "dependencies": {"database": "up", "kamailio": "up", "rtpengine": "up"}}
