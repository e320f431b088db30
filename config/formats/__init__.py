"""How times are written where Django's own way for a language is not ours; everything else is as Django has it."""
