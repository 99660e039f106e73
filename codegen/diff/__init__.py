"""`diff BASE`: what a change of the spec does to callers, stored data, answers and cost."""
