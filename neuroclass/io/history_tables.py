"""The history's tables."""

from typing import ClassVar

from sqlalchemy import BigInteger, Float, ForeignKey, Integer, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

BYTES = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """The history's tables."""

    type_annotation_map: ClassVar = {float: Float()}


class EntryRow(Base):
    """Files uploaded as one input."""

    __tablename__ = "entries"
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(index=True)
    key: Mapped[str] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(Text)
    cell: Mapped[str] = mapped_column(Text)
    context: Mapped[str] = mapped_column(Text)
    state: Mapped[str]
    written: Mapped[float]
    opened: Mapped[float] = mapped_column(index=True)
    summary: Mapped[str] = mapped_column(Text)
    files: Mapped[list["FileRow"]] = relationship(order_by="FileRow.position", cascade="all, delete-orphan")
    answers: Mapped[list["AnswerRow"]] = relationship(order_by="AnswerRow.written", cascade="all, delete-orphan")
    link: Mapped["LinkRow | None"] = relationship(cascade="all, delete-orphan")


class FileRow(Base):
    """One file of an entry; its size in bytes."""

    __tablename__ = "files"
    entry: Mapped[str] = mapped_column(ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(index=True)
    size: Mapped[int] = mapped_column(BYTES)


class AnswerRow(Base):
    """The verdicts of one version of the models on an entry."""

    __tablename__ = "answers"
    entry: Mapped[str] = mapped_column(ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    written: Mapped[float]
    content: Mapped[str] = mapped_column(Text)


class LinkRow(Base):
    """A read-only link to an entry: the hash of its token, and the verdicts as they were when it was made."""

    __tablename__ = "links"
    entry: Mapped[str] = mapped_column(ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True)
    token: Mapped[str] = mapped_column(index=True, unique=True)
    made: Mapped[float]
    judged: Mapped[float]
    context: Mapped[str] = mapped_column(Text)
    model: Mapped[str]
    software: Mapped[str]
    content: Mapped[str] = mapped_column(Text, deferred=True)


class PlaceRow(Base):
    """Which history this is: another id once it was made anew or replaced."""

    __tablename__ = "place"
    id: Mapped[str] = mapped_column(primary_key=True)


class PersonRow(Base):
    """What an owner who logged in is called, and when they last did, s since 1970."""

    __tablename__ = "people"
    owner: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    seen: Mapped[float]
