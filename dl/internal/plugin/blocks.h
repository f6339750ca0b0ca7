// Large blocks of a plugin's memory, kept for its next program.

// gradbook_blocks has a library, by its handle, take its large blocks from here. It returns 0 where
// that cannot be done.
int gradbook_blocks(void *library);

// gradbook_blocks_tidy gives back what nobody has used for so many seconds.
void gradbook_blocks_tidy(double seconds);

// gradbook_blocks_held is how many bytes are in use, and how many are kept.
void gradbook_blocks_held(size_t *used, size_t *kept);
