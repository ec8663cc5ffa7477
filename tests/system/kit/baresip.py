"""baresip as a phone: registered, answers each call by itself, plays a file."""
import subprocess
import threading

from .rest import PASSWORD


def module_path():
    found = subprocess.run(["find", "/usr/lib", "-name", "account.so", "-path", "*baresip*"], capture_output=True, text=True, timeout=30)
    return found.stdout.strip().rpartition("/")[0]


class Baresip:
    """directory: an empty one for its files. sound: a WAV file that it sends. said: its output. secure: over TLS, with SRTP alone."""

    def __init__(self, directory, domain, user="alice", sound=b"", seconds=60, secure=False):
        modules = "".join(f"module {m}.so\n" for m in ("uuid", "g711", "aufile", *(["srtp"] if secure else [])))
        server = "sip:127.0.0.1:5061;transport=tls" if secure else "sip:127.0.0.1:5060;transport=udp"
        (directory / "sound.wav").write_bytes(sound)
        (directory / "config").write_text(
            f"sip_listen 127.0.0.1:0\nmodule_path {module_path()}\nnet_interface 127.0.0.1\n{modules}"
            "module_app account.so\nmodule_app menu.so\n"
            f"audio_source aufile,{directory}/sound.wav\naudio_player aufile,{directory}/heard.wav\naudio_alert aufile,{directory}/alert.wav\n"
            "sip_verify_server no\naudio_srate 8000\naudio_channels 1\nausrc_srate 8000\nauplay_srate 8000\n")
        (directory / "accounts").write_text(
            f'<sip:{user}@{domain}>;auth_user={user};auth_pass={PASSWORD};regint=600;answermode=auto;'
            f'outbound="{server}";sipnat=outbound;audio_codecs=PCMU/8000/1,PCMA/8000/1{";mediaenc=srtp-mand" if secure else ""}\n')
        self.said = []
        self.process = subprocess.Popen(["baresip", "-f", str(directory), "-t", str(seconds)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=lambda: self.said.extend(self.process.stdout), daemon=True).start()

    def close(self):
        self.process.terminate()
        self.process.wait(10)
