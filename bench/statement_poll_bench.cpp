// Client CPU of polling pg_stat_statements.
//
//   statement_poll_bench DSN [POLLS]       prints one line a poll; bench/statement_poll.py starts a
//   server for it
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>

#include "core/hash.h"
#include "core/query.h"
#include "core/routes.h"
#include "ingest/statement_poller.h"
#include "parsers/sql_shapes.h"
#include "platform/postgres.h"

namespace {

double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  double pages = 0;
  statm >> pages >> pages;
  return pages * 4096 / (1024 * 1024);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace ectoscope;  // NOLINT(google-build-using-namespace): a program of one function
  if (argc < 2) {
    std::fprintf(stderr, "usage: statement_poll_bench DSN [POLLS]\n");
    return 2;
  }
  const int polls = argc > 2 ? std::atoi(argv[2]) : 10;
  QueryTable queries(100'000);
  Routes routes(100);
  SqlShapes shapes(queries, routes, HashKey{1, 2});
  PostgresSettings settings;
  settings.dsn = argv[1];
  const auto database = make_postgres(settings);
  StatementPoller poller(*database,
                         [&shapes](std::string_view sql) { return shapes.resolve(sql).query; });
  for (int i = 0; i < polls; ++i) {
    const double before = cpu_ms();
    const StatementPoll poll = poller.poll();
    const double spent = cpu_ms() - before;
    size_t samples = 0;
    for (const auto& of_database : poll.databases)
      samples += of_database.samples.size();
    if (!poll.up) {
      std::fprintf(stderr, "%s\n", poll.problem.c_str());
      return 3;
    }
    std::printf("poll %d: %zu entries, %zu samples, %.1f ms CPU, %.1f MiB\n", i + 1,
                poller.statements(), samples, spent, resident_mib());
    std::fflush(stdout);
  }
}
