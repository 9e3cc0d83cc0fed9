"""What people look at: `watch`, the terminal view. Reads Redis and status files; decides nothing.

==================  =====================================================================
module              what it does
==================  =====================================================================
frame               what one look at the stack holds, as plain data
status_files        the workers' status files in ``state_dir/status``
open_alerts         open alerts out of Redis, and waiting for the next one
lookout             the above, looked at again and again, as a :class:`~monitor.console.frame.Frame`
marks, wording      colour, mark and word of a priority; values against limits; durations
view                a frame as a rich picture, and as one line of text
watch               ``python -m monitor watch``
==================  =====================================================================
"""
