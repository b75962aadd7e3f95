#include "config/yaml_reader.h"

#include <algorithm>
#include <utility>

#include "config/consequence.h"
#include "config/values.h"
#include "config/yaml_documents.h"

namespace ectoscope {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 20U;
constexpr size_t kMaxProblems = 100;

std::string prefixed(const std::string& path) {
  return path.empty() ? "" : path + ": ";
}

std::string hint(const std::string& key, const YamlReader::Section& section) {
  std::vector<std::string_view> names;
  for (const auto& [name, setter] : section)
    names.push_back(name);
  if (const auto near = nearest(key, names)) return "; did you mean " + std::string(*near) + "?";
  std::string all;
  for (const std::string_view name : names)
    all += (all.empty() ? "" : ", ") + std::string(name);
  return "; there are: " + all;
}

/// A key as given, without control characters and not longer than a line.
std::string shown(std::string_view key) {
  const std::string text = in_quotes(key);
  return text.substr(1, text.size() - 2);
}

}  // namespace

std::optional<Error> YamlReader::read(std::string_view text,
                                      const std::function<void(const YAML::Node& root)>& read) {
  if (text.size() > kMaxFileBytes) {
    return Error{name_ + ": larger than 1 MiB; is this the right file?"};
  }
  try {
    const std::string copy(text);
    if (const auto rest = after_first_document(copy)) {
      add(*rest, "one YAML document is wanted, and nothing after it");
    } else {
      read(YAML::Load(copy));
    }
  } catch (const YAML::Exception& error) {
    problems_.push_back({error.mark.line + 1, error.mark.column + 1, "not YAML: " + error.msg});
  }
  if (problems_.empty()) return std::nullopt;
  return Error{describe()};
}

void YamlReader::section(const std::string& path, const Section& section, const YAML::Node& node) {
  if (node.IsNull()) return;  // `detectors:` with nothing under it
  if (!node.IsMap()) {
    add(node.Mark(), prefixed(path) + "a mapping of settings is wanted here");
    return;
  }
  std::map<std::string, int> first_lines;
  for (const auto& entry : node) {
    const YAML::Mark mark = entry.first.Mark();
    if (!entry.first.IsScalar()) {
      add(mark, prefixed(path) + "a setting's name is wanted here");
      continue;
    }
    const std::string& key = entry.first.Scalar();
    std::string full = path.empty() ? "" : path + ".";
    full += key;
    const auto [first, fresh] = first_lines.emplace(key, mark.line + 1);
    if (!fresh) {
      add(mark,
          shown(full) + ": given twice; the first is in line " + std::to_string(first->second));
      continue;
    }
    const auto setter = section.find(key);
    if (setter == section.end()) {
      add(mark, shown(full) + ": no such setting" + hint(key, section));
    } else {
      key_mark_ = mark;
      setter->second(full, entry.second);
    }
  }
}

void YamlReader::list(const std::string& path, size_t most, const YAML::Node& node,
                      const Setter& each) {
  if (node.IsNull()) return;
  if (!node.IsSequence()) {
    add(node.Mark(), prefixed(path) + "a list is wanted here, each element behind a '-'");
    return;
  }
  if (node.size() > most) {
    add(node.Mark(), prefixed(path) + "more than " + std::to_string(most) + " elements");
    return;
  }
  for (size_t i = 0; i < node.size(); ++i)
    each(path + "[" + std::to_string(i) + "]", node[i]);
}

void YamlReader::number(const std::string& path, const OptionSpec& spec, const YAML::Node& node,
                        double& target) {
  if (!node.IsScalar()) {
    wrong_kind(path, node, show_allowed(spec), show_value(spec.type, spec.fallback));
    return;
  }
  const auto value = parse_value(spec, node.Scalar());
  if (value.ok()) {
    target = value.value();
  } else {
    add(node.Mark(), path + ": " + value.error().message);
  }
}

void YamlReader::text(const std::string& path, const TextSpec& spec, const YAML::Node& node,
                      std::string& target) {
  if (!node.IsScalar()) {
    wrong_kind(path, node, std::string(spec.allowed), in_quotes(spec.fallback));
    return;
  }
  std::string value = node.Scalar();
  if (!expand(path, node, value)) return;
  if (spec.accepts(value)) {
    target = std::move(value);
  } else {
    add(node.Mark(), path + ": " + in_quotes(node.Scalar()) + " is not " +
                         std::string(spec.allowed) + "; the default is " +
                         in_quotes(spec.fallback));
  }
}

bool YamlReader::expand(const std::string& path, const YAML::Node& node, std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '$' || at + 1 == text.size() || (text[at + 1] != '$' && text[at + 1] != '{')) {
      out += text[at];
      continue;
    }
    if (text[++at] == '$') {
      out += '$';
      continue;
    }
    const size_t end = text.find('}', at);
    const std::string name =
        end == std::string::npos ? std::string() : text.substr(at + 1, end - at - 1);
    const auto value =
        name.empty() || !sources_.environment ? std::nullopt : sources_.environment(name);
    if (!value) {
      add(node.Mark(), path + ": " +
                           (name.empty() ? "'${' without a name and '}'"
                                         : "the environment has no " + in_quotes(name)) +
                           "; write $$ for a dollar sign itself");
      return false;
    }
    out += *value;
    at = end;
  }
  text = std::move(out);
  return true;
}

const ConfigSources& YamlReader::no_sources() {
  static const ConfigSources kNone;
  return kNone;
}

void YamlReader::add_secret(const TextSpec& spec, std::string& target, Section& section) {
  const auto take = [this, &spec, &target](const std::string& path, const YAML::Node& node,
                                           std::string value) {
    if (!target.empty()) {
      add(node.Mark(), path + ": given both here and by " + std::string(spec.key) +
                           (path.ends_with("_file") ? "" : "_file") + "; leave one of them out");
    } else if (!spec.accepts(value)) {
      add(node.Mark(), path + ": the value is not " + std::string(spec.allowed));
    } else {
      target = std::move(value);
    }
  };
  section.emplace(spec.key, [this, &spec, take](const std::string& path, const YAML::Node& node) {
    if (!node.IsScalar()) return wrong_kind(path, node, std::string(spec.allowed), "none");
    std::string value = node.Scalar();
    if (expand(path, node, value)) take(path, node, std::move(value));
  });
  static std::map<std::string_view, std::string> file_keys;
  const std::string& key =
      file_keys.emplace(spec.key, std::string(spec.key) + "_file").first->second;
  section.emplace(key, [this, take](const std::string& path, const YAML::Node& node) {
    if (!node.IsScalar()) return wrong_kind(path, node, "the path of a file", "none");
    std::string file = node.Scalar();
    if (!expand(path, node, file)) return;
    auto content = sources_.file ? sources_.file(file)
                                 : Result<std::string>(Error{file + ": can't be read here"});
    if (!content.ok()) return add(node.Mark(), path + ": " + content.error().message);
    std::string value = std::move(content.value());
    while (value.ends_with('\n') || value.ends_with('\r'))
      value.pop_back();
    take(path, node, std::move(value));
  });
}

void YamlReader::add_options(std::span<const OptionSpec> specs, Options& options,
                             Section& section) {
  for (const OptionSpec& spec : specs) {
    section.emplace(spec.key,
                    [this, &spec, &options](const std::string& path, const YAML::Node& value) {
                      double read = spec.fallback;
                      number(path, spec, value, read);
                      options.set(spec.key, read);
                    });
  }
}

YamlReader::Section YamlReader::options_section(std::span<const OptionSpec> specs,
                                                Options& options) {
  Section section;
  add_options(specs, options, section);
  return section;
}

void YamlReader::wrong_kind(const std::string& path, const YAML::Node& node,
                            const std::string& allowed, const std::string& fallback) {
  const std::string found = node.IsNull()     ? "no value"
                            : node.IsMap()    ? "a mapping"
                            : node.IsScalar() ? "text"
                                              : "a list";
  add(node.IsNull() ? key_mark_ : node.Mark(),
      path + ": " + found + " where " + allowed + " is wanted; the default is " + fallback);
}

void YamlReader::add(const YAML::Mark& mark, std::string what) {
  problems_.push_back({mark.line + 1, mark.column + 1, std::move(what)});
}

std::string YamlReader::describe() {
  std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  std::string text;
  for (size_t i = 0; i < problems_.size() && i < kMaxProblems; ++i) {
    const Problem& problem = problems_[i];
    text += name_ + ":" + std::to_string(std::max(problem.line, 1)) + ":" +
            std::to_string(std::max(problem.column, 1)) + ": " + problem.what + "\n";
  }
  if (problems_.size() > kMaxProblems) text += "... the first 100 are shown.\n";
  text += problems_.size() == 1 ? "1 problem" : std::to_string(problems_.size()) + " problems";
  return text.append(kNothingStarted);
}

}  // namespace ectoscope
