"""Texts compared by their words: what counts, what is similar, and what is marked."""

from difflib import SequenceMatcher
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_grading.analysis import words
from hw_grading.analysis.words import (
    LONGEST,
    MAX_WORDS,
    bag_of,
    differences,
    similar,
    words_digest,
    words_of,
)

SAME = [
    ("The loss falls.", "the  loss\nFALLS"),
    ("It falls, because (as we saw) it must!", "It falls because as we saw it must."),
    ("the *loss* falls", "the loss __falls__"),
    ("don't", "don\N{RIGHT SINGLE QUOTATION MARK}t"),
    ("it is 1,5.", "It is 1.5"),
    ("Größe", "GRÖSSE"),
]
OTHER = [
    ("A causes B", "B causes A"),
    ("it is not so", "it is so"),
    ("a<b", "a>b"),
    ("a \N{LESS-THAN OR EQUAL TO} b", "a \N{GREATER-THAN OR EQUAL TO} b"),
    ("it is -1", "it is 1"),
    ("(a+b)*c", "a+b*c"),
    ("0.5 points", "5 points"),
    ("97%", "97"),
    ("$W$", "$w$"),
    ("`a[0]`", "`a(0)`"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_case_punctuation_and_white_space_do_not_count(one, other):
    assert words_of(one) == words_of(other)
    assert words_digest(one) == words_digest(other) != ""


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_words_their_order_and_mathematics_count(one, other):
    assert words_digest(one) != words_digest(other)


def test_a_text_without_words_is_like_no_other():
    assert {words_digest(text) for text in ("", " \n", "...", "?", "x " * LONGEST)} == {""}


WORDS = [f"word{n}" for n in range(20)]
TEXTS = {
    "first": " ".join(WORDS),
    "one word less": " ".join(WORDS[1:]),
    "two words others": " ".join([*WORDS[2:], "x", "y"]),
    "three words others": " ".join([*WORDS[3:], "p", "q", "r"]),
    "twice": " ".join(WORDS + WORDS),
    "in another order": " ".join(reversed(WORDS)),
    "alone": "something else",
    "long": "word " * (MAX_WORDS + 1),
    "as long": "word " * (MAX_WORDS + 2),
}


def test_texts_with_nine_tenths_in_common_are_similar():
    groups = similar({name: bag_of(text) for name, text in TEXTS.items()})
    assert [set(group) for group in groups] == [
        {"first", "one word less", "two words others", "in another order"}
    ]
    apart = {name: bag_of(TEXTS[name]) for name in ("first", "three words others")}
    assert similar(apart) == []
    assert len(bag_of("so so so")) == 3


@given(st.lists(st.frozensets(st.integers(0, 12), min_size=1), max_size=9))
@settings(max_examples=300, deadline=None)
def test_no_pair_is_missed(texts):
    bags = {n: bag_of(" ".join(f"w{k}" for k in text)) for n, text in enumerate(texts)}
    found = {frozenset((g[0], other)) for g in similar(bags) for other in g[1:]}
    taken = {name for group in similar(bags) for name in group}
    pairs = {
        frozenset((one, other))
        for one, other in combinations(bags, 2)
        if len(bags[one] & bags[other]) >= 0.9 * max(len(bags[one]), len(bags[other]))
    }
    assert found <= pairs
    assert [pair for pair in pairs if not pair & taken] == []


def test_periodic_texts_are_compared_once_and_in_few_steps(monkeypatch):
    looks = []

    class Counting(SequenceMatcher):
        def find_longest_match(self, alo=0, ahi=None, blo=0, bhi=None):
            looks.append((ahi - alo) * (bhi - blo))
            return super().find_longest_match(alo, ahi, blo, bhi)

    monkeypatch.setattr(words, "SequenceMatcher", Counting)
    one, other = "a b " * 500, "b a a b " * 250
    assert similar({1: bag_of(one), 2: bag_of(other)}) == []  # so they are never compared
    one, other = one[: 2 * MAX_WORDS], other[: 2 * MAX_WORDS]
    assert similar({1: bag_of(one), 2: bag_of(other)}) == [[1, 2]]
    marked = differences(one, other)
    assert 0 < sum(looks) < MAX_WORDS**3
    looks.clear()
    assert differences(one, other) == marked
    assert looks == []


@given(st.text(st.sampled_from("aB1 .,-*/$`'()[]<=\\\n_|é‘"), max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_has_words_and_equals_itself(text):
    assert "<ins>" not in differences(text, text)
    assert all(word and not any(map(str.isspace, word)) for word in words_of(text))
