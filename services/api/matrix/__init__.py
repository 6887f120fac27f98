"""The matrix of a review: all its recommendations by theme, laid out as OHCHR's own, for States and coalitions to plan.

`content` puts it together, `word_document` and `workbook` write it.
"""
