/* Preloaded while instructions are counted: what differs from run to run, and has nothing to do with what is counted, is fixed.
 *
 * - std's hash maps, inside serde_json, draw their keys from getrandom(2): it answers with a constant.
 * - glibc's allocator walks what earlier allocations left behind, and compiling rules leaves a lot: reading took up to 6 % more
 *   instructions beside 10,000 rules. This one takes and gives back in the same few steps whatever came before: blocks of
 *   powers of two, a list of free ones for each size. It is for one thread, and gives nothing back to the system.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

enum { SMALLEST = 16, SIZES = 48, PIECE = 64 << 20 };

struct header {
  void *block; /* where the block begins, which for an aligned address is before the header */
  size_t size; /* its size is SMALLEST << size */
};

static void *freed[SIZES];
static char *next, *end;

ssize_t getrandom(void *to, size_t bytes, unsigned flags) {
  (void)flags;
  memset(to, 7, bytes);
  return bytes;
}

static void *fresh(size_t bytes) {
  if ((size_t)(end - next) < bytes) {
    size_t piece = bytes > PIECE ? bytes : PIECE;
    next = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (next == MAP_FAILED) {
      next = end = NULL;
      return NULL;
    }
    end = next + piece;
  }
  next += bytes;
  return next - bytes;
}

static void *aligned(size_t alignment, size_t bytes) {
  size_t room = bytes + sizeof(struct header) + (alignment > SMALLEST ? alignment : 0);
  size_t size = room <= SMALLEST ? 0 : 60 - __builtin_clzll(room - 1);
  char *block = freed[size];
  if (block)
    freed[size] = *(void **)block;
  else if (!(block = fresh((size_t)SMALLEST << size)))
    return NULL;
  uintptr_t at = (uintptr_t)block + sizeof(struct header);
  at = (at + alignment - 1) & ~(uintptr_t)(alignment - 1);
  ((struct header *)at)[-1] = (struct header){block, size};
  return (void *)at;
}

void *malloc(size_t bytes) { return aligned(SMALLEST, bytes); }

void free(void *memory) {
  if (!memory)
    return;
  struct header *header = (struct header *)memory - 1;
  void *block = header->block;
  size_t size = header->size;
  *(void **)block = freed[size];
  freed[size] = block;
}

void *calloc(size_t count, size_t bytes) {
  size_t all;
  void *memory = __builtin_mul_overflow(count, bytes, &all) ? NULL : malloc(all);
  return memory ? memset(memory, 0, all) : NULL;
}

void *realloc(void *memory, size_t bytes) {
  if (!memory)
    return malloc(bytes);
  struct header *header = (struct header *)memory - 1;
  size_t held = (char *)header->block + ((size_t)SMALLEST << header->size) - (char *)memory;
  if (bytes <= held)
    return memory;
  void *larger = malloc(bytes);
  if (larger) {
    memcpy(larger, memory, held);
    free(memory);
  }
  return larger;
}

int posix_memalign(void **memory, size_t alignment, size_t bytes) {
  *memory = aligned(alignment > SMALLEST ? alignment : SMALLEST, bytes);
  return *memory ? 0 : ENOMEM;
}

void *aligned_alloc(size_t alignment, size_t bytes) {
  return aligned(alignment > SMALLEST ? alignment : SMALLEST, bytes);
}
