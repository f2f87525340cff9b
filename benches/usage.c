/* Runs a program and writes what it used to a file: microseconds of user and of system time, peak memory in kB.
 *
 *   usage FILE PROGRAM [ARGUMENT...]
 *
 * The peak that the kernel keeps begins with what the process held before it became the program. So what starts the program has to
 * be small: measured from an interpreter, nothing is ever smaller than the interpreter. What the program's own children used
 * is counted when it waited for them; their peak is only seen when it is the larger one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long micros(struct timeval time) { return time.tv_sec * 1000000L + time.tv_usec; }

int main(int count, char **arguments) {
  if (count < 3)
    return 125;
  pid_t child = fork();
  if (child == 0) {
    execvp(arguments[2], arguments + 2);
    _exit(127);
  }
  int status;
  struct rusage used;
  if (child < 0 || wait4(child, &status, 0, &used) < 0)
    return 125;
  FILE *to = fopen(arguments[1], "w");
  if (!to)
    return 125;
  fprintf(to, "%ld %ld %ld\n", micros(used.ru_utime), micros(used.ru_stime), used.ru_maxrss);
  fclose(to);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
