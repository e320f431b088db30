"""The site as a whole: its templates, its stylesheet, the links between its pages."""
