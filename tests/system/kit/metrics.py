"""The page of /metrics as a scraper reads it."""
import re

import requests

from kit.rest import API

SAMPLE = re.compile(r'([a-z_:][a-z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?[0-9]+(?:\.[0-9]+)?)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


class Page:
    """Every line is checked, samples stand behind the HELP and TYPE of their family."""

    def __init__(self):
        r = requests.get(API + "/metrics", timeout=10)
        assert r.status_code == 200 and r.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert r.text.endswith("\n")
        self.text, self.types, self.samples = r.text, {}, {}
        helped, family = set(), None
        for line in r.text.splitlines():
            if line.startswith("# HELP "):
                family = line.split(" ", 3)[2]
                assert family not in helped, line
                helped.add(family)
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name == family and name not in self.types and kind in ("counter", "gauge", "histogram"), line
                self.types[name] = kind
            else:
                self.sample(line, family)

    def sample(self, line, family):
        m = SAMPLE.fullmatch(line)
        assert m, f"not a sample: {line!r}"
        name, labels = m[1], tuple(sorted(LABEL.findall(m[2] or "")))
        parts = ("_bucket", "_sum", "_count") if self.types[family] == "histogram" else ("",)
        assert name in [family + p for p in parts], f"{line!r} in {family}"
        assert (name, labels) not in self.samples, f"twice: {line!r}"
        self.samples[name, labels] = float(m[3])

    def __call__(self, name, **labels):
        return self.samples[name, tuple(sorted(labels.items()))]
