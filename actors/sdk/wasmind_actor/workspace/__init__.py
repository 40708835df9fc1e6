"""Reading and editing text files for a model: what both file actors of the library share.

    actor -> cache -> lines
          -> edits

The model never sees a file in the result of a tool. It sees one current copy of everything it has
read or edited, in the system prompt.
"""
