"""Reports of backtests that authors attach to campaign versions, and that approvers see"""
