"""Templates can be uploaded as they are."""

from neuroclass.adaptation.labelled_table import read_labelled
from neuroclass.cell_types import SUBCLASS_ORDER
from neuroclass.reference.template import labelled_template_csv


def test_the_labelled_template_is_a_labelled_table_of_every_subclass():
    table = read_labelled(labelled_template_csv().encode(), "template.csv")
    assert table.notes == ()
    assert table.cells.frame["subclass"].tolist() == list(SUBCLASS_ORDER)
    assert table.cells.frame["donor"].nunique() == len(SUBCLASS_ORDER)
