#include "outputs/http_front.h"

#include "outputs/front_loop.h"

namespace ectoscope {

HttpFront::HttpFront(FrontLimits limits, Hooks hooks)
    : loop_(std::make_unique<Loop>(limits, std::move(hooks))) {}

HttpFront::~HttpFront() = default;

Result<uint16_t> HttpFront::listen(const std::string& address) {
  return loop_->listen(address);
}

void HttpFront::use_tls(std::function<std::shared_ptr<TlsContext>()> tls) {
  loop_->use_tls(std::move(tls));
}

void HttpFront::start() {
  loop_->start();
}

void HttpFront::stop() {
  loop_->stop();
}

size_t HttpFront::connections() const {
  return loop_->count();
}

}  // namespace ectoscope
