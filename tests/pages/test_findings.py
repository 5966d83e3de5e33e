"""The sentence above a figure says what its numbers say."""

import numpy as np
import pandas as pd

from neuroclass.ui.explain import findings, transfer
from neuroclass.ui.performance.systems import finding

RNG = np.random.default_rng(0)
DECILES = pd.DataFrame(
    {"sag": np.tile(np.arange(1.0, 11), 20), "tau": RNG.permutation(np.tile(np.arange(1.0, 11), 20))}
)


def test_the_strongest_feature_is_named_with_its_direction() -> None:
    up = pd.DataFrame({"sag": DECILES["sag"] - 5.5, "tau": 0.01})
    assert "Sag (long square)" in findings.strongest(up, DECILES, ["sag", "tau"], "Sst", "probability")
    assert "high values favour Sst" in findings.strongest(up, DECILES, ["sag", "tau"], "Sst", "probability")
    assert "low values favour Sst" in findings.strongest(-up, DECILES, ["sag"], "Sst", "probability")
    none = up.assign(sag=np.random.default_rng(1).normal(size=len(up)))
    assert "depends on the cell" in findings.strongest(none, DECILES, ["sag"], "Sst", "probability")


def test_shares_of_importance_add_up() -> None:
    means = pd.DataFrame({"Sst": [6.0, 2.0, 1.0, 1.0]}, index=["sag", "tau", "ri", "width"])
    assert findings.concentration(means, top=1).startswith("1 of 4 features carry 60%")


def test_cells_of_the_class_and_others_are_counted_apart() -> None:
    shap = pd.DataFrame({"sag": [1.0, 1.0, -1.0, -1.0, -1.0, 1.0]})
    text = findings.by_true_class(shap, ["Sst", "Sst", "Vip", "Vip", "Vip", "Vip"], ["sag"], "Sst", "Sst")
    assert "100% of cells that are Sst" in text and "25% of all others" in text


def test_the_output_is_base_plus_contributions() -> None:
    text = findings.main_reasons(0.5, pd.Series({"sag": 0.3, "tau": -0.1}), "Sst", "probability")
    assert text.startswith("Probability of Sst: 50.0% → 70.0%") and text.index("Sag") < text.index("Membrane")


def test_open_gates_are_counted() -> None:
    gates = pd.Series({"sag": 1.0, "tau": 0.0, "ri": 0.2})
    assert findings.open_gates(gates).startswith("2 of 3 gates are open: Sag")
    assert findings.open_gates(gates * 0) == "No gate of this cell is open."
    table = pd.DataFrame({"sag": [1.0, 1.0], "tau": [0.0, 1.0], "ri": [0.0, 0.0]})
    assert "Sag (long square) in 100% of cells" in findings.always_open(table)
    means = pd.DataFrame({"sag": [0.9, 0.1], "tau": [0.7, 0.3]})
    by = {"sag": 0.3, "tau": 0.2}
    assert "ε² 0.30 of its rank variance): 0.90 in Sst, 0.10 in Vip" in findings.gates_by_class(
        means, ["Sst", "Vip"], pd.Series(by)
    )
    by["tau"] = 0.6
    assert "time constant" in findings.gates_by_class(means, ["Sst", "Vip"], pd.Series(by))


def test_the_number_of_open_gates_is_given_by_class_where_it_differs() -> None:
    n_open, truth = pd.Series([4, 4, 4, 8, 9]), pd.Series(["Glutamatergic"] * 3 + ["Sst", "Vip"])
    assert "4 of 41 or fewer in half" in findings.sparsity(n_open, 41)
    assert findings.needs(n_open, truth) == (
        "LSPIN opens the fewest gates in Glutamatergic cells: a median of 4, in others 8 to 9."
    )
    assert findings.needs(n_open[:3], truth[:3]) == ""


def test_how_far_the_species_is_hidden_is_said_before_the_numbers() -> None:
    text = findings.domains((0.94, 0.66), (0.97, 0.98), 0.1)
    assert text.startswith("DANN removes much of") and "94% from the input features and in 66%" in text
    assert text.endswith("Excitatory or inhibitory stays: 97% → 98%.")
    text = findings.domains((0.94, 0.77), (0.97, 0.94), 0.0)
    assert text.startswith("Without the adversary, the network removes some") and "inhibitory suffers" in text
    assert "without the adversary, already brings that to 77%" in findings.domains(
        (0.94, 0.66), (0.97, 0.98), 0.1, 0.77
    )
    assert "species, not all:" in findings.domains((0.94, 0.66), (0.97, 0.98), 0.1)
    assert "not all" not in findings.domains((0.94, 0.50), (0.97, 0.98), 0.1)
    assert "removes little" in findings.domains((0.94, 0.90), (None, None), 1.0)
    assert "was not measured" in findings.domains((0.94, None), (0.97, 0.98), 0.3)


def _transfer(**shares: float) -> str:
    keys = {"dann": ("leave-species-out", "dann"), "plain": ("leave-species-out", "dann-lambda0"),
            "lasso": ("leave-species-out", "lasso"), "known": ("donor-cv", "dann")}  # fmt: skip
    rows = [(*keys[name], share) for name, share in shares.items()]
    return findings.transfer(pd.DataFrame(rows, columns=["protocol", "system", "mean"]))


def test_the_pages_question_is_answered_with_what_the_adversary_adds_and_what_does_better() -> None:
    text = _transfer(dann=0.882, plain=0.880, lasso=0.95, known=0.953)
    assert "88% of human cells" in text and "with human labels 95%" in text
    assert "makes no difference" in text and "logistic regression transfers better (95%" in text
    assert "up to 5 points" in _transfer(dann=0.9, plain=0.85)
    assert "better" not in _transfer(dann=0.9, lasso=0.85)
    assert _transfer(known=0.95) == ""


def test_matched_subclasses_are_told_from_those_at_chance() -> None:
    rows = [
        {"subclass": "Pvalb", "same": 0.8, "low": 0.7, "chance": 0.5},
        {"subclass": "Vip", "same": 0.48, "low": 0.34, "chance": 0.16},
        {"subclass": "Htr3a", "same": 0.1, "low": 0.03, "chance": 0.08},
    ]
    text = findings.matched_subclasses(rows)
    assert "for mouse Pvalb (80%, chance 50%) and Vip (48%, chance 16%), but not for Htr3a+|Vip− (10%" in text
    assert "no more often than by chance" in findings.matched_subclasses(rows[2:])
    assert "but not" not in findings.matched_subclasses(rows[:2])


def test_stable_ranks_are_told_from_flagged_ones() -> None:
    agreed = pd.DataFrame({"first": ["SHAP", "gates"], "second": ["SHAP", "gates"], "kendall": [0.4, 0.8]})
    text = findings.retraining(3, 41, agreed)
    assert text.startswith("38 of 41") and "gates ranks are the most stable" in text and "0.80" in text


def test_a_systems_place_and_tests_are_stated() -> None:
    frame = pd.DataFrame(
        {
            "system": ["SVC", "DANN, ours", "LDA", "DANN, published"],
            "source": ["measured", "measured", "measured", "published"],
            "accuracy": [0.99, 0.98, 0.9, 0.97],
            "low": [0.98, 0.97, np.nan, np.nan],
            "high": [1.0, 0.99, np.nan, np.nan],
            "p": [0.5, np.nan, 0.01, np.nan],
            "verdict": ["no difference shown", "", "DANN better", ""],
        }
    )
    text = finding(frame, "dann")
    assert (
        text == "DANN has rank 2 of the 3 systems measured here; "
        "significantly better than 1 of the other 2, worse than none (paired tests)."
    )


def test_only_human_accuracies_of_both_protocols_are_taken_the_pages_question_first() -> None:
    rows = [
        ("dann", "donor-cv", "human", "accuracy", 0.95),
        ("dann", "donor-cv", "mouse", "accuracy", 0.98),
        ("dann", "leave-species-out", "human", "macro_f1", 0.85),
        ("dann", "leave-species-out", "human", "accuracy", 0.88),
        ("svc", "donor-cv", "human", "accuracy", 0.95),
        ("dann", "paper-split", "human", "accuracy", 0.91),
    ]
    table = pd.DataFrame(rows, columns=["system", "protocol", "group", "metric", "mean"])
    found = transfer.accuracies(table.assign(low=np.nan, high=np.nan, cells=299))
    assert list(zip(found["protocol"], found["mean"], strict=True)) == [("leave-species-out", 0.88), ("donor-cv", 0.95)]
    assert transfer.accuracies(table.head(0)).empty
