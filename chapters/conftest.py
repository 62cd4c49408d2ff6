"""Outputs are compared in the language of the code; each edition tells them in its own."""

import os

os.environ.setdefault('D2LREC_LANGUAGE', 'en')  # book.yml's code
