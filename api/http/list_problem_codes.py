"""List the refusals around list entries that are made and changed here, as data: see `problem_codes.py`."""

from api.http.problem_code import CALLER, ProblemCode
from models.domain.issues import ACCOUNTANT, ADMINISTRATOR

LIST_PROBLEM_CODES: dict[str, ProblemCode] = {
    "LIST_NOT_WRITTEN": ProblemCode(
        409, "This list is not written from here", ACCOUNTANT, ("Make the change in the ERP; the next sync shows it.",)
    ),
    "LIST_FIELD_REFUSED": ProblemCode(
        422, "A field cannot be written so", CALLER, ("Send the fields that the list settings name for this list.",)
    ),
    "LIST_VALUE_UNKNOWN": ProblemCode(
        422, "A value is in no list of the ERP", ACCOUNTANT, ("Run a sync if it is new there, or name another one.",)
    ),
    "LIST_KEY_REFUSED": ProblemCode(
        422,
        "The id is missing, or is not given by people",
        ACCOUNTANT,
        ("Give the id as `key`, or leave it out.", "An administrator sets who numbers vendors (list settings)."),
    ),
    "LIST_KEY_TAKEN": ProblemCode(
        409, "The id or the name is taken", ACCOUNTANT, ("Choose another id, or change that entry.",)
    ),
    "LIST_NAME_TAKEN": ProblemCode(
        409,
        "There is one with this name",
        ACCOUNTANT,
        ("Look at the other one.", "If this is another one, send `same_name`: true."),
    ),
    "LIST_ENTITY_REFUSED": ProblemCode(
        422,
        "It cannot belong there",
        ADMINISTRATOR,
        ("Name an entity of the connection.", "Or let entries be made for all entities (list settings)."),
    ),
    "LIST_ENTRY_SHARED": ProblemCode(
        409,
        "All entities share the entry",
        ADMINISTRATOR,
        ("Change it in the ERP; the next sync shows it.", "Or let shared entries be changed here (list settings)."),
    ),
    "LIST_CHANGE_UNDER_WAY": ProblemCode(
        409, "Another change of it is on its way", ACCOUNTANT, ("Wait until it has ended, or abandon it.",)
    ),
    "LIST_CHANGE_ENDED": ProblemCode(
        409, "The change has ended", ACCOUNTANT, ("Look at it; if something is still to be changed, change it anew.",)
    ),
    "LIST_CHANGE_IN_DOUBT": ProblemCode(
        409, "The ERP may have it", ACCOUNTANT, ("Wait until it was looked up; then change the entry back.",)
    ),
}
