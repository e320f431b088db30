"""What an adopter types to leave a comment: the form of every reader, without the address they are signed in with."""

from typing import Any

from species.child_safety import first_name
from species.forms import CommentForm
from species.models import Comment, Species

from .models import Supporter


class AdopterCommentForm(CommentForm):
    def __init__(self, *args: Any, species: Species, supporter: Supporter, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"name": first_name(supporter.name)})
        super().__init__(*args, species=species, **kwargs)
        self.supporter = supporter
        del self.fields["email"]

    def address(self) -> str:
        return self.supporter.email

    def as_comment(self) -> Comment:
        comment = super().as_comment()
        comment.is_by_adopter = True
        return comment
