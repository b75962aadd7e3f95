#include <new>
#include <zstd.h>
#include <zstd_errors.h>

#include "ingest/decoder.h"

namespace ectoscope {
namespace {

constexpr int kMaxWindowLog = 26;  // 64 MiB: more would break our own bound on memory

class ZstdDecoder final : public Decoder {
 public:
  ZstdDecoder() : context_(ZSTD_createDCtx(), ZSTD_freeDCtx) {
    if (!context_) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  }

  Decoded decode(std::span<const char> input, std::span<char> output) override {
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{output.data(), output.size(), 0};
    const size_t status = ZSTD_decompressStream(context_.get(), &out, &in);
    Decoded step{in.pos, out.pos, {}};
    if (ZSTD_isError(status) != 0)
      step.problem =
          ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge
              ? "needs a window over 64 MiB: compress it again without --long and --ultra"
              : ZSTD_getErrorName(status);
    else if (in.pos != 0 || out.pos != 0)
      at_boundary_ = status == 0;
    return step;
  }

  [[nodiscard]] bool at_boundary() const override { return at_boundary_; }

 private:
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_;
  bool at_boundary_ = true;
};

}  // namespace

std::unique_ptr<Decoder> make_zstd_decoder() {
  return std::make_unique<ZstdDecoder>();
}

}  // namespace ectoscope
