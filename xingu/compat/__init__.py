"""Names of Xingu 2.0 on `xingu.Model`, as mixins over the stages of this version.

Methods of this package are not discovered as metrics or plots of a Model, whatever they are called.
"""
