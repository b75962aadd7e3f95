#include "config/web_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "config/values.h"
#include "config/yaml_reader.h"

namespace ectoscope {
namespace {

constexpr size_t kMostUsers = 1000;
constexpr size_t kMostNames = 1000;  // of a list
constexpr int kDearestHash = 16;     // bcrypt's cost: about 4 s a check
constexpr std::string_view kTls = "tls_server_config";

template <typename T>
using Choices = std::span<const std::pair<std::string_view, T>>;

using Auth = TlsSettings::ClientAuth;
constexpr std::array<std::pair<std::string_view, Auth>, 6> kAuths = {{
    {"NoClientCert", Auth::kNone},
    {"RequestClientCert", Auth::kRequest},
    {"RequireAnyClientCert", Auth::kRequireAny},
    {"RequireClientCert", Auth::kRequireAny},  // its old name
    {"VerifyClientCertIfGiven", Auth::kVerifyIfGiven},
    {"RequireAndVerifyClientCert", Auth::kRequireVerified},
}};

using Version = TlsSettings::Version;
constexpr std::array<std::pair<std::string_view, Version>, 4> kVersions = {{
    {"TLS13", Version::k13},
    {"TLS12", Version::k12},
    {"TLS11", Version::k11},
    {"TLS10", Version::k10},
}};

constexpr std::array<std::pair<std::string_view, bool>, 2> kBooleans = {{
    {"true", true},
    {"false", false},
}};

/// Go's tls.CipherSuites(): those without a known weakness.
constexpr std::array<std::string_view, 13> kSuites = {
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
};
constexpr std::array<std::string_view, 4> kCurves = {"CurveP256", "CurveP384", "CurveP521",
                                                     "X25519"};

struct HeaderSpec {
  std::string_view name;
  std::vector<std::string_view> values;  // empty: any
};

const std::array<HeaderSpec, 5>& allowed_headers() {
  static const std::array<HeaderSpec, 5> kHeaders = {{
      {"Content-Security-Policy", {}},
      {"Strict-Transport-Security", {}},
      {"X-Content-Type-Options", {"nosniff"}},
      {"X-Frame-Options", {"deny", "sameorigin"}},
      {"X-XSS-Protection", {}},
  }};
  return kHeaders;
}

std::string listed(std::span<const std::string_view> names) {
  std::string all;
  for (const std::string_view name : names)
    all += (all.empty() ? "" : ", ") + std::string(name);
  return all;
}

/// What is wrong with a bcrypt hash, without saying it.
std::optional<std::string> problem_with_hash(std::string_view hash) {
  constexpr size_t kSize = 60;
  constexpr size_t kHead = 7;  // "$2y$10$"
  const auto digit = [&hash](size_t at) { return hash[at] >= '0' && hash[at] <= '9'; };
  const bool form = hash.size() == kSize && hash.starts_with("$2") &&
                    std::string_view("aby").find(hash[2]) != std::string_view::npos &&
                    hash[3] == '$' && digit(4) && digit(5) && hash[6] == '$' &&
                    std::all_of(hash.begin() + kHead, hash.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '.' || c == '/';
                    });
  if (!form) {
    return "is not the bcrypt hash of a password, which begins with $2y$ and has 60 characters; "
           "`htpasswd -nBC 10 NAME` makes one";
  }
  const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
  if (cost >= 4 && cost <= kDearestHash) return std::nullopt;
  return "has a bcrypt cost of " + std::to_string(cost) + "; from 4 to " +
         std::to_string(kDearestHash) + " is possible, 10 to 12 is usual";
}

/// "1s", "1m30s", "250ms", "0": as Go writes durations.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::nanoseconds(0);
  constexpr std::array<std::pair<std::string_view, double>, 7> kUnits = {{
      {"ns", 1},
      {"us", 1e3},
      {"µs", 1e3},
      {"ms", 1e6},
      {"s", 1e9},
      {"m", 60e9},
      {"h", 3600e9},
  }};
  double total = 0;
  bool any = false;
  while (!text.empty()) {
    double number = 0;
    if (text.find_first_of("0123456789.") != 0) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    const size_t length = std::min(text.find_first_of("0123456789."), text.size());
    const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const auto& it) {
      return it.first == text.substr(0, length);
    });
    if (unit == kUnits.end()) return std::nullopt;
    total += number * unit->second;
    text.remove_prefix(length);
    any = true;
  }
  constexpr double kLongest = 1e18;  // 31 years
  if (!any || total > kLongest) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<int64_t>(total));
}

class WebConfigReader {
 public:
  WebConfigReader(const std::string& name, const TlsCheck& check)
      : yaml_(name), check_(check), folder_(std::filesystem::path(name).parent_path()) {}

  Result<WebAccess> read(std::string_view text) {
    const auto error = yaml_.read(text, [this](const YAML::Node& root) {
      YamlReader::Section top;
      top.emplace(kTls, [this](const auto& path, const auto& node) { tls(path, node); });
      top.emplace("http_server_config",
                  [this](const auto& path, const auto& node) { http(path, node); });
      top.emplace("basic_auth_users",
                  [this](const auto& path, const auto& node) { users(path, node); });
      top.emplace("rate_limit", [this](const auto& path, const auto& node) { rate(path, node); });
      yaml_.section("", top, root);
    });
    if (error) return *error;
    return access_;
  }

 private:
  using Node = YAML::Node;

  /// As it stands: ${NAME} is no variable here, for a hash has dollar signs.
  std::optional<std::string> scalar(const std::string& path, const Node& node) {
    if (node.IsScalar()) return node.Scalar();
    yaml_.add(node.IsNull() ? yaml_.key_mark() : node.Mark(), path + ": a text is wanted here");
    return std::nullopt;
  }

  YamlReader::Setter text(std::string& target) {
    return [this, &target](const std::string& path, const Node& node) {
      note(path);
      if (auto value = scalar(path, node)) target = std::move(*value);
    };
  }

  YamlReader::Setter file(std::string& target) {
    return [this, &target](const std::string& path, const Node& node) {
      note(path);
      const auto value = scalar(path, node);
      if (value && !value->empty()) target = (folder_ / *value).string();
    };
  }

  template <typename T, size_t N>
  YamlReader::Setter choice(const std::array<std::pair<std::string_view, T>, N>& choices,
                            T& target) {
    return [this, &choices, &target](const std::string& path, const Node& node) {
      note(path);
      const auto value = scalar(path, node);
      if (!value || value->empty()) return;
      std::array<std::string_view, N> names;
      for (size_t i = 0; i < N; ++i) {
        names[i] = choices[i].first;
        if (choices[i].first != *value) continue;
        target = choices[i].second;
        return;
      }
      yaml_.add(node.Mark(), path + ": " + in_quotes(*value) + " is not one of " + listed(names));
    };
  }

  /// Names out of `allowed`, any where that is empty.
  YamlReader::Setter names(std::span<const std::string_view> allowed,
                           std::vector<std::string>& target) {
    return [this, allowed, &target](const std::string& path, const Node& node) {
      note(path);
      yaml_.list(path, kMostNames, node, [&](const std::string& full, const Node& element) {
        const auto value = scalar(full, element);
        if (!value) return;
        if (!allowed.empty() &&
            std::find(allowed.begin(), allowed.end(), *value) == allowed.end()) {
          yaml_.add(element.Mark(),
                    full + ": " + in_quotes(*value) + " is not one of " + listed(allowed));
          return;
        }
        target.push_back(*value);
      });
    };
  }

  /// Where a setting of tls_server_config stands.
  void note(const std::string& path) {
    marks_[path.substr(path.rfind('.') + 1)] = yaml_.key_mark();
  }

  void tls(const std::string& path, const Node& node) {
    const YAML::Mark here = yaml_.key_mark();
    TlsSettings& to = access_.tls;
    YamlReader::Section section;
    section.emplace("cert", text(to.cert));
    section.emplace("cert_file", file(to.cert_file));
    section.emplace("key", text(to.key));
    section.emplace("key_file", file(to.key_file));
    section.emplace("client_ca", text(to.client_ca));
    section.emplace("client_ca_file", file(to.client_ca_file));
    section.emplace("client_auth_type", choice(kAuths, to.client_auth));
    section.emplace("client_allowed_sans", names({}, to.client_allowed_sans));
    section.emplace("min_version", choice(kVersions, to.min_version));
    section.emplace("max_version", choice(kVersions, to.max_version));
    section.emplace("cipher_suites", names(kSuites, to.cipher_suites));
    section.emplace("prefer_server_cipher_suites",
                    choice(kBooleans, to.prefer_server_cipher_suites));
    section.emplace("curve_preferences", names(kCurves, to.curve_preferences));
    yaml_.section(path, section, node);
    const auto complain = [&](const KeyProblem& problem) {
      const auto mark = marks_.find(problem.key);
      yaml_.add(mark == marks_.end() ? here : mark->second,
                path + "." + problem.key + ": " + problem.what);
    };
    for (const KeyProblem& problem : contradictions())
      complain(problem);
    if (!to.enabled() || !check_) return;
    for (const KeyProblem& problem : check_(to))
      complain(problem);
  }

  [[nodiscard]] std::vector<KeyProblem> contradictions() const {
    const TlsSettings& tls = access_.tls;
    std::vector<KeyProblem> found;
    const auto twice = [&found](const std::string& key, const std::string& text,
                                const std::string& file) {
      if (!text.empty() && !file.empty()) {
        found.push_back({key, "given both here and by " + key + "_file; leave one of them out"});
      }
    };
    twice("cert", tls.cert, tls.cert_file);
    twice("key", tls.key, tls.key_file);
    twice("client_ca", tls.client_ca, tls.client_ca_file);
    const bool with_ca = !tls.client_ca.empty() || !tls.client_ca_file.empty();
    if (with_ca && tls.client_auth == Auth::kNone) {
      found.push_back({tls.client_ca.empty() ? "client_ca_file" : "client_ca",
                       "no client is asked for a certificate; set client_auth_type, best to "
                       "RequireAndVerifyClientCert"});
    }
    if (!tls.client_allowed_sans.empty() && tls.client_auth != Auth::kRequireAny &&
        tls.client_auth != Auth::kRequireVerified) {
      found.push_back(
          {"client_allowed_sans",
           "a client may come without a certificate and its names; set client_auth_type to "
           "RequireAndVerifyClientCert"});
    }
    if (tls.min_version > tls.max_version) {
      found.push_back({"min_version", "is above max_version: no client could be served"});
    }
    return found;
  }

  void http(const std::string& path, const Node& node) {
    YamlReader::Section section;
    section.emplace("http2", choice(kBooleans, http2_));
    section.emplace("headers",
                    [this](const std::string& full, const Node& value) { headers(full, value); });
    yaml_.section(path, section, node);
  }

  void headers(const std::string& path, const Node& node) {
    YamlReader::Section section;
    for (const HeaderSpec& spec : allowed_headers()) {
      section.emplace(spec.name, [this, &spec](const std::string& full, const Node& value) {
        const auto text = scalar(full, value);
        if (!text || text->empty()) return;
        const auto& values = spec.values;
        if (!values.empty() && std::find(values.begin(), values.end(), *text) == values.end()) {
          yaml_.add(value.Mark(),
                    full + ": " + in_quotes(*text) + " is not one of " + listed(values));
        } else if (std::any_of(text->begin(), text->end(), [](char c) {
                     return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
                   })) {
          yaml_.add(value.Mark(), full + ": a header has one line, and no control characters");
        } else {
          access_.headers[std::string(spec.name)] = *text;
        }
      });
    }
    yaml_.section(path, section, node);
  }

  void users(const std::string& path, const Node& node) {
    if (node.IsMap() && node.size() > kMostUsers) {
      yaml_.add(node.Mark(), path + ": more than " + std::to_string(kMostUsers) + " users");
      return;
    }
    std::vector<std::string> names;
    if (node.IsMap()) {
      for (const auto& entry : node)
        names.push_back(entry.first.IsScalar() ? entry.first.Scalar() : std::string());
    }
    YamlReader::Section section;
    for (const std::string& name : names) {
      section.emplace(name, [this, &name](const std::string& full, const Node& value) {
        if (name.find(':') != std::string::npos) {
          yaml_.add(yaml_.key_mark(),
                    full + ": a user's name has no colon in basic authentication");
        }
        const auto hash = scalar(full, value);
        if (!hash) return;
        if (const auto problem = problem_with_hash(*hash)) {
          yaml_.add(value.Mark(), full + ": the value " + *problem);
        } else {
          access_.users[name] = *hash;
        }
      });
    }
    yaml_.section(path, section, node);
  }

  void rate(const std::string& path, const Node& node) {
    YamlReader::Section section;
    section.emplace("interval", [this](const std::string& full, const Node& value) {
      const auto text = scalar(full, value);
      if (!text) return;
      const auto interval = parse_duration(*text);
      if (interval) {
        access_.rate.interval = *interval;
      } else {
        yaml_.add(value.Mark(),
                  full + ": " + in_quotes(*text) + " is not a time like 100ms, 1s or 1m30s");
      }
    });
    section.emplace("burst", [this](const std::string& full, const Node& value) {
      const auto text = scalar(full, value);
      if (!text) return;
      constexpr uint64_t kMost = 1'000'000;
      uint64_t burst = 0;
      const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), burst);
      if (error == std::errc{} && end == text->data() + text->size() && burst <= kMost) {
        access_.rate.burst = burst;
      } else {
        yaml_.add(value.Mark(), full + ": " + in_quotes(*text) + " is not an integer from 0 to " +
                                    std::to_string(kMost));
      }
    });
    yaml_.section(path, section, node);
    if (access_.rate.interval.count() > 0 && access_.rate.burst == 0) {
      yaml_.add(node.Mark(),
                path + ".burst: with 0 every request would be refused; set at least 1");
    }
  }

  YamlReader yaml_;
  const TlsCheck& check_;
  std::filesystem::path folder_;
  std::map<std::string, YAML::Mark> marks_;
  WebAccess access_;
  bool http2_ = true;  // taken and without effect: we speak HTTP/1.1
};

}  // namespace

Result<WebAccess> parse_web_config(std::string_view text, const std::string& name,
                                   const TlsCheck& check) {
  return WebConfigReader(name, check).read(text);
}

}  // namespace ectoscope
