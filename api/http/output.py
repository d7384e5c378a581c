"""Define the base of all that answers hold."""

from pydantic import BaseModel, ConfigDict


class Output(BaseModel):
    """A part of an answer. What its source says under a field is the field's description in the API's document."""

    model_config = ConfigDict(use_attribute_docstrings=True)
