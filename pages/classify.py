"""What the cell in a recording is, and why."""

from neuroclass.ui.classify import page

page.answer(*page.bring("What is the cell in my recording, how sure is that, and on which measurements does it rest?"))
