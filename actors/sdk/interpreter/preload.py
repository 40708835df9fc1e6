"""Everything an actor may import, loaded before the snapshot: a running guest has no file system.

The standard library, private modules that it loads on first use included; without what cannot
work here or is of no use to an actor (processes, terminals, test frameworks, tools).
"""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Final

import zones
from heap import fill_holes
from rehearsal import rehearse
from sockets import close_all

MODULES: Final = """
__future__ _colorize _strptime abc annotationlib argparse array ast asyncio base64 binascii bisect
calendar cmath codecs collections collections.abc concurrent.futures configparser contextlib
contextvars copy copyreg csv dataclasses datetime decimal difflib dis email email.charset
email.encoders email.generator email.headerregistry email.message email.mime.multipart
email.mime.text email.parser email.policy email.utils encodings.ascii encodings.base64_codec
encodings.cp1252 encodings.hex_codec encodings.idna encodings.iso8859_15 encodings.latin_1
encodings.punycode encodings.raw_unicode_escape encodings.rot_13 encodings.unicode_escape
encodings.utf_16 encodings.utf_16_be encodings.utf_16_le encodings.utf_32 encodings.utf_7
encodings.utf_8 encodings.utf_8_sig enum errno fnmatch fractions functools gc getopt gettext glob
graphlib gzip hashlib heapq hmac html html.entities html.parser http http.client http.cookies
importlib importlib.abc importlib.machinery importlib.metadata importlib.resources importlib.util
inspect io ipaddress itertools json json.decoder json.encoder json.scanner keyword linecache locale
logging logging.handlers marshal math mimetypes numbers opcode operator os os.path pathlib pickle
pkgutil platform posixpath pprint queue quopri random re reprlib sched secrets shlex shutil signal
socket stat statistics string stringprep struct symtable sys tempfile textwrap threading time timeit
token tokenize tomllib traceback types typing unicodedata urllib urllib.error urllib.parse
urllib.request uuid warnings weakref xml.dom xml.dom.minidom xml.etree.ElementTree xml.parsers.expat
xml.sax xml.sax.saxutils zipfile zlib zoneinfo
jinja2 jinja2.debug jinja2.ext jinja2.sandbox markupsafe
wasmind_actor.library wasmind_actor.panel wasmind_actor.workspace.actor
"""

for _name in MODULES.split():
    importlib.import_module(_name)

# Nothing is left to be found on disk: what is missing fails at once, without a look at the host.
sys.path.clear()
sys.path_importer_cache.clear()

zones.load()
close_all()
# A line is a log record of the actor's, so it must leave when it is complete.
for _stream in (sys.stdout, sys.stderr):
    _stream.reconfigure(errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]

rehearse()
gc.collect()
BALLAST: Final = fill_holes()

# The collector never visits what is in the snapshot, so its pages stay shared between instances.
gc.freeze()
