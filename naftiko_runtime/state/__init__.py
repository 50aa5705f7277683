"""What calls leave for later calls, in one process or shared by several."""
