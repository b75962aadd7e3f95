#include "advice/inflection.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ectoscope {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array<std::string_view, 20> kUncountable = {
    "data",      "news",     "series",   "species",     "sheep",    "fish",     "deer",
    "equipment", "money",    "rice",     "media",       "metadata", "feedback", "staff",
    "traffic",   "software", "hardware", "information", "content",  "analytics"};

// Singular, plural.
constexpr std::array<Pair, 48> kIrregular = {{
    {"person", "people"},
    {"child", "children"},
    {"man", "men"},
    {"woman", "women"},
    {"foot", "feet"},
    {"tooth", "teeth"},
    {"goose", "geese"},
    {"mouse", "mice"},
    {"ox", "oxen"},
    {"index", "indices"},
    {"vertex", "vertices"},
    {"matrix", "matrices"},
    {"appendix", "appendices"},
    {"analysis", "analyses"},
    {"basis", "bases"},
    {"crisis", "crises"},
    {"diagnosis", "diagnoses"},
    {"hypothesis", "hypotheses"},
    {"thesis", "theses"},
    {"axis", "axes"},
    {"criterion", "criteria"},
    {"phenomenon", "phenomena"},
    {"curriculum", "curricula"},
    {"quiz", "quizzes"},
    {"movie", "movies"},
    {"cookie", "cookies"},
    {"tie", "ties"},
    {"pie", "pies"},
    {"zombie", "zombies"},
    {"calorie", "calories"},
    {"hero", "heroes"},
    {"potato", "potatoes"},
    {"tomato", "tomatoes"},
    {"echo", "echoes"},
    {"veto", "vetoes"},
    {"leaf", "leaves"},
    {"wolf", "wolves"},
    {"half", "halves"},
    {"shelf", "shelves"},
    {"knife", "knives"},
    {"wife", "wives"},
    {"life", "lives"},
    {"thief", "thieves"},
    {"loaf", "loaves"},
    {"bus", "buses"},
    {"gas", "gases"},
    {"menu", "menus"},
    {"rookie", "rookies"},
}};

// Endings of words that are singular although they end in -s.
constexpr std::array<std::string_view, 9> kSingularEndings = {
    "ss", "us", "is", "bias", "atlas", "canvas", "alias", "pancreas", "lens"};
// Plurals that lose their -s only.
constexpr std::array<std::string_view, 26> kEndInE = {
    "base",     "case",     "house",   "course",   "phase",   "release",   "lease",
    "purchase", "license",  "expense", "response", "horse",   "nurse",     "purse",
    "clause",   "pause",    "cause",   "exercise", "promise", "franchise", "enterprise",
    "premise",  "increase", "verse",   "cache",    "niche"};
// What an -es of its own was added to, as the -e leaves it: "addresse", "boxe", "statuse".
constexpr std::array<std::string_view, 8> kAddedE = {"sse", "she", "che",   "xe",
                                                     "zze", "use", "lense", "ase"};

bool vowel(char c) {
  return std::string_view("aeiou").find(c) != std::string_view::npos;
}

template <typename List>
bool ends_with_any(std::string_view word, const List& endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return word.ends_with(ending); });
}

bool uncountable(std::string_view word) {
  return std::find(kUncountable.begin(), kUncountable.end(), word) != kUncountable.end();
}

std::string_view without(std::string_view word, size_t letters) {
  return word.substr(0, word.size() - letters);
}

std::string singular_word(std::string_view word) {
  for (const auto& [one, many] : kIrregular) {
    if (word == many) return std::string(one);
  }
  if (word.size() < 3 || !word.ends_with('s') || ends_with_any(word, kSingularEndings)) {
    return std::string(word);
  }
  const std::string_view stem = without(word, 1);  // "boxe", "categorie", "user"
  if (word.ends_with("ies") && word.size() > 4) return std::string(without(word, 3)) + "y";
  if (stem == "use" || ends_with_any(stem, kEndInE)) return std::string(stem);
  if (ends_with_any(stem, kAddedE)) return std::string(without(stem, 1));
  return std::string(stem);
}

std::string plural_word(std::string_view word) {
  for (const auto& [one, many] : kIrregular) {
    if (word == one || word == many) return std::string(many);
  }
  if (singular_word(word) != word) return std::string(word);  // one already
  if (word.size() > 1 && word.ends_with('y') && !vowel(word[word.size() - 2])) {
    return std::string(without(word, 1)) + "ies";
  }
  if (word.ends_with("is") && word.size() > 3) return std::string(without(word, 2)) + "es";
  for (const std::string_view sibilant : {"s", "x", "z", "ch", "sh"}) {
    if (word.ends_with(sibilant)) return std::string(word) + "es";
  }
  return std::string(word) + "s";
}

/// Applies `change` to the last part of a snake_case name.
template <typename Change>
std::string in_last_part(std::string_view name, Change change) {
  const size_t start = name.rfind('_') + 1;  // 0 when there is none
  const std::string_view word = name.substr(start);
  if (word.empty() || uncountable(word)) return std::string(name);
  return std::string(name.substr(0, start)) + change(word);
}

}  // namespace

std::string singular(std::string_view name) {
  return in_last_part(name, singular_word);
}

std::string plural(std::string_view name) {
  return in_last_part(name, plural_word);
}

}  // namespace ectoscope
