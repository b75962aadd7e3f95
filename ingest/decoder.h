// What archive.cpp asks of a compression format.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace ectoscope {

/// One step of decoding.
struct Decoded {
  size_t used = 0;      // of the input
  size_t produced = 0;  // into the output
  std::string problem;  // empty: none
};

/// Threads: one at a time.
class Decoder {
 public:
  virtual ~Decoder() = default;

  /// Decodes as much of the input as fits into the output.
  virtual Decoded decode(std::span<const char> input, std::span<char> output) = 0;

  /// The file may end here: nothing has begun that is not whole.
  [[nodiscard]] virtual bool at_boundary() const = 0;
};

std::unique_ptr<Decoder> make_gzip_decoder();
std::unique_ptr<Decoder> make_zstd_decoder();

}  // namespace ectoscope
