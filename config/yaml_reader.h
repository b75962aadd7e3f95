// What every YAML file of ours is read with: places in messages, all problems at once.
//
// What yaml-cpp 0.7 does not do for us: it accepts duplicate keys (the first one wins), reads 010
// as 8 and `yes` as true, and throws away all but the first document.  So keys are walked one by
// one, and scalars are taken as text.  No alias is ever walked into twice: the tree is read to a
// fixed depth.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "config/config.h"
#include "config/settings.h"
#include "core/options.h"
#include "core/result.h"

namespace ectoscope {

/// Reads one file and gathers what is wrong with it.  Threads: one at a time.
class YamlReader {
 public:
  /// What one key of a section does with its value.
  using Setter = std::function<void(const std::string& path, const YAML::Node& value)>;
  using Section = std::map<std::string_view, Setter>;

  /// `name` is the file's, for messages.  `sources` must outlive the reader.
  explicit YamlReader(std::string name) : YamlReader(std::move(name), no_sources()) {}
  YamlReader(std::string name, const ConfigSources& sources)
      : name_(std::move(name)), sources_(sources) {}

  /// Hands the document's root to `read`.  Nothing when all went well, else every problem, a line
  /// each (`file:line:column: key: what is wrong`), and how many there are.
  std::optional<Error> read(std::string_view text,
                            const std::function<void(const YAML::Node& root)>& read);

  /// Hands each key's value to its setter; a key twice, or one that isn't there, is a problem.
  void section(const std::string& path, const Section& section, const YAML::Node& node);
  /// Hands each element to `each`, with a path like `ignore[0]`; more than `most` are a problem.
  void list(const std::string& path, size_t most, const YAML::Node& node, const Setter& each);
  /// Leaves `target` alone where the value is wrong.
  void number(const std::string& path, const OptionSpec& spec, const YAML::Node& node,
              double& target);
  /// ${NAME} stands for the environment's value, $$ for one $.
  void text(const std::string& path, const TextSpec& spec, const YAML::Node& node,
            std::string& target);

  /// A setting that may stand in the file as KEY, or as KEY_file in one of its own: a secret.  Its
  /// value is in no message.  All but the section must outlive the section's reading.
  void add_secret(const TextSpec& spec, std::string& target, Section& section);

  /// A setter for each of `specs`.  All three must outlive the section's reading.
  void add_options(std::span<const OptionSpec> specs, Options& options, Section& section);
  Section options_section(std::span<const OptionSpec> specs, Options& options);

  void add(const YAML::Mark& mark, std::string what);
  /// Of the key whose value is in hand: an absent value has no useful place of its own.
  [[nodiscard]] const YAML::Mark& key_mark() const { return key_mark_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  struct Problem {
    int line = 0;  // from 1
    int column = 0;
    std::string what;
  };

  void wrong_kind(const std::string& path, const YAML::Node& node, const std::string& allowed,
                  const std::string& fallback);
  std::string describe();
  /// Puts the environment's values in; false when that is not possible, and told.
  bool expand(const std::string& path, const YAML::Node& node, std::string& text);
  static const ConfigSources& no_sources();

  std::string name_;
  const ConfigSources& sources_;
  YAML::Mark key_mark_;
  std::vector<Problem> problems_;
};

}  // namespace ectoscope
