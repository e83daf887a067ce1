"""Commands that run a deployment, or a part of one."""
