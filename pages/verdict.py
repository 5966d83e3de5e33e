"""A colleague's verdict, behind a read-only link."""

from neuroclass.ui.classify import linked

linked.page()
