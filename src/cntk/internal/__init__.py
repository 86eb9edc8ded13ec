"""Conversions that programs written against the original import from here."""

from cntk.internal.sanitize import *
