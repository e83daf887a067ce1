"""The API's rates of triggers, comparisons of versions, and disagreement of heads: routes, use cases and rules"""
