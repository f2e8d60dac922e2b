"""One pass: observe, judge, build, compare, apply, report."""
