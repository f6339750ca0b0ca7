"""Makes the spoken digits: digits.ulaw.gz and voices.csv in this folder.

    python -m venv v && v/bin/pip install numpy==2.3.5 espeakng-loader==0.2.4
    v/bin/python datasets/speech/speech.py

eSpeak NG (of the wheel espeakng-loader 0.2.4) says zero to nine in English, in 56 voices,
twice each: in two accents, at two speeds and pitches. A sound is half a second at 8,000
samples a second, 8-bit µ-law (ITU-T G.711), cut where it is loudest if it is longer, and
filled with silence at its end if it is shorter. The sounds stand one after the other, in the
order of the lines of voices.csv: digit, voice, accent, speed, pitch, part.
"""

import ctypes
import gzip
import os

import espeakng_loader
import numpy as np

RATE, LENGTH = 8000, 4000
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
VOICES = """Alex Alicia Andrea Andy Annie Denis Diogo Gene Henrique Hugo Jacky Lee Marco Mario Michael Mike Nguyen Reed Storm
adam anika antonio aunty belinda benjamin boris caleb david edward f1 f2 f3 f4 f5 grandma grandpa gustave ian john linda
m1 m2 m3 m4 m5 m6 m7 m8 marcelo max michel paul rob shelby steph zac""".split()
TEST = {"Annie", "Hugo", "Reed", "belinda", "caleb", "f3", "grandpa", "m4", "michel", "zac"}
VALIDATION = {"Andrea", "Gene", "Mike", "aunty", "david", "f5", "ian", "m7"}

lib = ctypes.CDLL(espeakng_loader.get_library_path())
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
sound = []


@CALLBACK
def take(samples, n, events):
    if samples and n > 0:
        sound.append(np.ctypeslib.as_array(samples, shape=(n,)).copy())
    return 0


def say(word, voice, accent, speed, pitch):
    sound.clear()
    if lib.espeak_SetVoiceByName(f"{accent}+{voice}".encode()) != 0:
        raise SystemExit(f"no voice {accent}+{voice}")
    lib.espeak_SetParameter(1, speed, 0)
    lib.espeak_SetParameter(3, pitch, 0)
    text = word.encode() + b"\0"
    lib.espeak_Synth(text, len(text), 0, 0, 0, 1, None, None)
    lib.espeak_Synchronize()
    return np.concatenate(sound).astype(float) / 32768


def resampled(x, rate):
    """Resample by the spectrum, without what the lower rate cannot hold."""
    n = len(x) * RATE // rate
    spectrum = np.fft.rfft(x)[: n // 2 + 1]
    return np.fft.irfft(spectrum, n) * n / len(x)


def cut(x):
    """Trim silence, and take the loudest half second."""
    loud = np.flatnonzero(np.abs(x) > 0.02 * np.abs(x).max())
    x = x[loud[0] : loud[-1] + 1]
    if len(x) > LENGTH:
        energy = np.concatenate([[0], np.cumsum(x * x)])
        at = int(np.argmax(energy[LENGTH:] - energy[:-LENGTH]))
        x = x[at : at + LENGTH]
    x = x / np.abs(x).max() * 0.9
    return np.concatenate([x, np.zeros(LENGTH - len(x))])


def ulaw(x):
    return np.round((np.sign(x) * np.log1p(255 * np.abs(x)) / np.log(256) + 1) * 127.5).astype(np.uint8)


def main():
    rate = lib.espeak_Initialize(2, 0, os.fsencode(espeakng_loader.get_data_path()), 0)
    lib.espeak_SetSynthCallback(take)
    folder = os.path.dirname(os.path.abspath(__file__))
    sounds, lines = [], ["digit,voice,accent,speed,pitch,part"]
    for voice in VOICES:
        part = "test" if voice in TEST else "validation" if voice in VALIDATION else "train"
        for accent, speed, pitch in (("en-us", 150, 45), ("en", 185, 60)):
            for digit, word in enumerate(WORDS):
                sounds.append(ulaw(cut(resampled(say(word, voice, accent, speed, pitch), rate))))
                lines.append(f"{digit},{voice},{accent},{speed},{pitch},{part}")
    with open(os.path.join(folder, "digits.ulaw.gz"), "wb") as f:
        f.write(gzip.compress(np.concatenate(sounds).tobytes(), 9, mtime=0))
    with open(os.path.join(folder, "voices.csv"), "w", encoding="utf-8", newline="\n") as f:
        f.write("\n".join(lines) + "\n")


main()
