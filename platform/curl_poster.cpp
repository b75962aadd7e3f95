#include "platform/curl_poster.h"

#include <algorithm>
#include <array>
#include <curl/curl.h>
#include <mutex>
#include <system_error>
#include <utility>

namespace ectoscope {
namespace {

constexpr size_t kKeptBody = 512;  // bytes: enough for a message
constexpr int kLookEvery = 50;     // milliseconds, at whether to give up

struct EndEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct EndMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct EndList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct EndUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using HeaderList = std::unique_ptr<curl_slist, EndList>;

void init_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

size_t keep_beginning(char* bytes, size_t size, size_t count, void* reply) {
  auto& body = static_cast<HttpReply*>(reply)->body;
  body.append(bytes, std::min(size * count, kKeptBody - std::min(kKeptBody, body.size())));
  return size * count;
}

void append(HeaderList& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) return;
  static_cast<void>(list.release());
  list.reset(longer);
}

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

class CurlPoster final : public HttpPoster {
 public:
  explicit CurlPoster(HttpTarget target) : target_(std::move(target)) {
    init_once();
    easy_.reset(curl_easy_init());
    multi_.reset(curl_multi_init());
    while (target_.url.ends_with('/'))
      target_.url.pop_back();
    base_ = target_.url;
    append(headers_, "Content-Type: application/json");
    append(headers_, "Expect:");  // the body goes with the head
    if (!target_.server_name.empty()) rename();
    set_options();
  }
  CurlPoster(const CurlPoster&) = delete;
  CurlPoster& operator=(const CurlPoster&) = delete;
  ~CurlPoster() override = default;

  Result<HttpReply> post(std::string_view path, std::string_view json,
                         const std::stop_token& give_up) override {
    HttpReply reply;
    message_[0] = '\0';
    curl_easy_setopt(easy_.get(), CURLOPT_URL, (base_ + std::string(path)).c_str());
    curl_easy_setopt(easy_.get(), CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(json.size()));
    curl_easy_setopt(easy_.get(), CURLOPT_POSTFIELDS, json.data());
    curl_easy_setopt(easy_.get(), CURLOPT_WRITEDATA, &reply);
    curl_multi_add_handle(multi_.get(), easy_.get());
    const CURLcode code = run(give_up);
    curl_multi_remove_handle(multi_.get(), easy_.get());
    if (code != CURLE_OK) return Error{target_.url + ": " + why(code)};
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    reply.status = static_cast<int>(status);
    return reply;
  }

 private:
  /// The same words for the same trouble: curl's own have the milliseconds in them.
  [[nodiscard]] std::string why(CURLcode code) const {
    long error = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &error);
    if (code == CURLE_ABORTED_BY_CALLBACK) return "given up";
    if (code == CURLE_OPERATION_TIMEDOUT) return "timed out";
    if (code == CURLE_COULDNT_CONNECT && error != 0)
      return std::system_category().message(static_cast<int>(error));
    return message_[0] != '\0' ? message_.data() : curl_easy_strerror(code);
  }

  /// Another name in the handshake than in the address: connect to the one, speak to the other.
  void rename() {
    const std::unique_ptr<CURLU, EndUrl> url(curl_url());
    if (curl_url_set(url.get(), CURLUPART_URL, base_.c_str(), 0) != CURLUE_OK) return;
    const std::string host = part_of(url.get(), CURLUPART_HOST);
    const std::string port = part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
    const std::string own_port = part_of(url.get(), CURLUPART_PORT);
    append(connect_to_, target_.server_name + ":" + port + ":" + host + ":" + port);
    append(headers_, "Host: " + host + (own_port.empty() ? "" : ":" + own_port));
    curl_url_set(url.get(), CURLUPART_HOST, target_.server_name.c_str(), 0);
    base_ = part_of(url.get(), CURLUPART_URL);
    while (base_.ends_with('/'))
      base_.pop_back();
  }

  void set_text(CURLoption option, const std::string& text) {
    if (!text.empty()) curl_easy_setopt(easy_.get(), option, text.c_str());
  }

  void set_options() {
    CURL* easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "ectoscope");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
    if (connect_to_) curl_easy_setopt(easy, CURLOPT_CONNECT_TO, connect_to_.get());
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(target_.timeout.count() / 1000));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &keep_beginning);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, message_.data());
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, target_.insecure_skip_verify ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, target_.insecure_skip_verify ? 0L : 2L);
    set_text(CURLOPT_CAINFO, target_.ca_file);
    set_text(CURLOPT_SSLCERT, target_.cert_file);
    set_text(CURLOPT_SSLKEY, target_.key_file);
    if (!target_.bearer_token.empty()) {
      curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
      set_text(CURLOPT_XOAUTH2_BEARER, target_.bearer_token);
    } else if (!target_.username.empty()) {
      curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
      set_text(CURLOPT_USERNAME, target_.username);
      set_text(CURLOPT_PASSWORD, target_.password);
    }
  }

  CURLcode run(const std::stop_token& give_up) {
    for (int running = 1; running > 0;) {
      if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) return CURLE_FAILED_INIT;
      if (running == 0) break;
      if (give_up.stop_requested()) return CURLE_ABORTED_BY_CALLBACK;
      curl_multi_poll(multi_.get(), nullptr, 0, kLookEvery, nullptr);
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    return CURLE_FAILED_INIT;
  }

  HttpTarget target_;
  std::string base_;  // of the requests' URLs
  std::array<char, CURL_ERROR_SIZE> message_{};
  HeaderList headers_;
  HeaderList connect_to_;
  std::unique_ptr<CURLM, EndMulti> multi_;
  std::unique_ptr<CURL, EndEasy> easy_;  // goes first
};

}  // namespace

std::unique_ptr<HttpPoster> make_curl_poster(const HttpTarget& target) {
  return std::make_unique<CurlPoster>(target);
}

}  // namespace ectoscope
