"""Do ordinary later edits of a project survive in a variant as they do in the original?"""
