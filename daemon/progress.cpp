#include "daemon/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "outputs/text_layout.h"

namespace ectoscope {

std::string progress_line(uint64_t done, uint64_t total, std::chrono::duration<double> elapsed) {
  std::string line = readable_bytes(done);
  if (total > 0) line += " of " + readable_bytes(total);
  const double rate = static_cast<double>(done) / std::max(elapsed.count(), 1e-3);
  line += ", " + readable_bytes(static_cast<uint64_t>(rate)) + "/s";
  if (total > done && rate > 0) {
    const auto left = std::ceil(static_cast<double>(total - done) / rate);
    line += ", " + with_commas(static_cast<uint64_t>(left)) + " s left";
  }
  return line;
}

void Progress::add(uint64_t bytes) {
  done_ += bytes;
  if (!shown_) return;
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(200);
  drawn_ = true;
  std::fprintf(stderr, "\r%s\x1b[K", progress_line(done_, total_, now - started_).c_str());
}

void Progress::clear() {
  if (!drawn_) return;
  drawn_ = false;
  std::fputs("\r\x1b[K", stderr);
}

}  // namespace ectoscope
