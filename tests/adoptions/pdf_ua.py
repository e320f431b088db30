"""Whether a PDF keeps the rules of PDF/UA-1 (ISO 14289-1) that a machine can judge and our papers can break.

Named after the clauses of the standard. What it cannot judge, such as whether the order is a sensible one, a person
must. Typst checks rules of its own as it writes; this reads what was written.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any, cast

from pypdf import PdfReader
from pypdf.generic import ArrayObject, ContentStream, DictionaryObject, NumberObject, PdfObject, StreamObject

SHOWS_WORDS = {b"Tj", b"TJ", b"'", b'"'}
PAINTS = {b"f", b"F", b"f*", b"S", b"s", b"B", b"B*", b"b", b"b*", b"sh", b"INLINE IMAGE", *SHOWS_WORDS}
GROUPS = {"Document", "Part", "Art", "Sect", "Div", "BlockQuote", "Caption", "NonStruct"}
BLOCKS = {"P", "H1", "H2", "H3", "L", "LI", "Lbl", "LBody", "Table", "TR", "TH", "TD", "THead", "TBody"}
INLINE = {"Span", "Quote", "Note", "Reference", "Link", "Annot", "Figure", "Formula", "Em", "Strong"}
STANDARD = GROUPS | BLOCKS | INLINE


def problems(pdf: bytes) -> list[str]:
    """What is against the standard, in sentences; empty if nothing is."""
    reader = PdfReader(BytesIO(pdf))
    catalogue = reader.root_object
    found = [*of_the_document(reader, catalogue)]
    if "/StructTreeRoot" not in catalogue:
        return [*found, "7.1: there is no structure."]
    root = dictionary(catalogue["/StructTreeRoot"])
    elements = list(walk(root.get("/K")))
    marked = {number for element in elements for number in marks_of(element.get("/K"))}
    found += of_the_structure(root, elements)
    for page in reader.pages:
        resources = dictionary(page["/Resources"])
        found += of_content(ContentStream(page.get_contents(), reader), resources, marked)
        found += of_fonts(resources)
        if page.get("/Annots"):
            found += of_annotations(page)
    return found


def dictionary(thing: Any) -> DictionaryObject:
    return cast("DictionaryObject", thing.get_object())


def listed(thing: PdfObject | None) -> list[Any]:
    """One thing or several, as a list."""
    whole = thing.get_object() if thing is not None else None
    if whole is None:
        return []
    return list(whole) if isinstance(whole, ArrayObject) else [whole]


def of_the_document(reader: PdfReader, catalogue: DictionaryObject) -> Iterator[str]:
    marking = dictionary(catalogue.get("/MarkInfo", DictionaryObject()))
    if str(marking.get("/Marked")) != "True" or str(marking.get("/Suspects")) == "True":
        yield "7.1: it does not say that it is tagged."
    if not catalogue.get("/Lang"):
        yield "7.2: it names no language."
    metadata = catalogue.get("/Metadata")
    written = cast("StreamObject", metadata.get_object()).get_data() if metadata else b""
    if b"<pdfuaid:part>1</pdfuaid:part>" not in written:
        yield "5: it does not say that it follows PDF/UA-1."
    if not (reader.metadata and reader.metadata.title) or b"<dc:title>" not in written:
        yield "7.1: it has no title."
    wishes = dictionary(catalogue.get("/ViewerPreferences", DictionaryObject()))
    if str(wishes.get("/DisplayDocTitle")) != "True":
        yield "7.1: a viewer is not asked to show the title."
    if reader.is_encrypted:
        yield "7.16: it is locked, perhaps to a screen reader too."


def walk(kids: PdfObject | None) -> Iterator[DictionaryObject]:
    """Every element of the structure, in the order it is read in."""
    for kid in listed(kids):
        whole = kid.get_object()
        if isinstance(whole, DictionaryObject) and "/S" in whole:
            yield whole
            yield from walk(whole.get("/K"))


def marks_of(kids: PdfObject | None) -> Iterator[int]:
    for kid in listed(kids):
        whole = kid.get_object()
        if isinstance(whole, NumberObject):
            yield int(whole)
        elif isinstance(whole, DictionaryObject) and "/MCID" in whole:
            yield int(str(whole["/MCID"]))


def of_the_structure(root: DictionaryObject, elements: list[DictionaryObject]) -> Iterator[str]:
    roles = {str(name): str(role) for name, role in dictionary(root.get("/RoleMap", DictionaryObject())).items()}
    kinds = [roles.get(str(element["/S"]), str(element["/S"])).removeprefix("/") for element in elements]
    if "/ParentTree" not in root:
        yield "7.1: content does not lead back to its element."
    yield from (f"7.1: {kind} is no element of the standard." for kind in sorted(set(kinds) - STANDARD))
    levels = [int(kind[1]) for kind in kinds if kind[0] == "H" and kind[1:].isdigit()]
    if any(after > before + 1 for before, after in zip([0, *levels], levels, strict=False)):
        yield f"7.4: a level of heading is left out: {levels}."
    for kind, element in zip(kinds, elements, strict=True):
        if kind in {"Figure", "Formula"} and not (element.get("/Alt") or element.get("/ActualText")):
            yield f"7.3: a {kind} has no words in its place."


def of_content(stream: ContentStream, resources: DictionaryObject, marked: set[int], inside: str = "") -> list[str]:
    """Whatever is painted belongs to an element or is an artifact, and is never both."""
    found: list[str] = []
    open_marks: list[str] = [inside] if inside else []
    for operands, operator in stream.operations:
        if operator in {b"BMC", b"BDC"}:
            open_marks.append(kind_of_mark(operands, resources, marked))
            if "artifact" in open_marks and "element" in open_marks:
                found.append("7.1: an artifact and an element lie within each other.")
        elif operator == b"EMC":
            open_marks.pop()
        elif operator == b"Do":
            found += of_object(dictionary(dictionary(resources["/XObject"])[operands[0]]), marked, open_marks)
        elif operator in PAINTS and not {"element", "artifact"} & set(open_marks):
            found.append(f"7.1: {operator.decode()} paints what is neither tagged nor an artifact.")
    return sorted(set(found))


def kind_of_mark(operands: list[Any], resources: DictionaryObject, marked: set[int]) -> str:
    if str(operands[0]) == "/Artifact":
        return "artifact"
    if len(operands) < 2:
        return ""
    named = isinstance(operands[1], str)
    properties = dictionary(dictionary(resources["/Properties"])[operands[1]]) if named else operands[1]
    return "element" if properties.get("/MCID") in marked else ""


def of_object(thing: DictionaryObject, marked: set[int], open_marks: list[str]) -> list[str]:
    """An image, or a form with content of its own."""
    inside = next((mark for mark in open_marks if mark), "")
    if str(thing["/Subtype"]) != "/Form":
        return [] if inside else ["7.1: an image is neither tagged nor an artifact."]
    resources = dictionary(thing.get("/Resources", DictionaryObject()))
    return [*of_content(ContentStream(thing, None), resources, marked, inside), *of_fonts(resources)]


def of_fonts(resources: DictionaryObject) -> Iterator[str]:
    for font in map(dictionary, dictionary(resources.get("/Font", DictionaryObject())).values()):
        holder = dictionary(listed(font.get("/DescendantFonts"))[0]) if "/DescendantFonts" in font else font
        descriptor = dictionary(holder.get("/FontDescriptor", DictionaryObject()))
        if str(font["/Subtype"]) != "/Type3" and not {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor):
            yield f"7.21: the font {font.get('/BaseFont')} is not in it."
        if "/ToUnicode" not in font:
            yield f"7.21: letters of {font.get('/BaseFont')} cannot be read back."


def of_annotations(page: DictionaryObject) -> Iterator[str]:
    if page.get("/Tabs") != "/S":
        yield "7.18: the tabulator does not follow the structure."
    for annotation in map(dictionary, listed(page["/Annots"])):
        if not annotation.get("/Contents"):
            yield f"7.18: a {annotation['/Subtype']} says nothing of itself."
        if "/StructParent" not in annotation:
            yield f"7.18: a {annotation['/Subtype']} belongs to no element."
