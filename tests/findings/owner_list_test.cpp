#include "findings/owner_list.h"

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

Finding finding_of(std::vector<std::string> tables, std::vector<std::string> routes,
                   std::vector<std::string> applications) {
  Finding finding;
  finding.tables = std::move(tables);
  for (std::string& route : routes)
    finding.routes.emplace_back(std::move(route), 1);
  finding.applications = std::move(applications);
  return finding;
}

TEST(OwnerList, TheFirstRuleThatFitsWholeDecides) {
  const OwnerList owners({{"invoice*", "", "", "billing"},
                          {"posts", "PageController.*", "", "pages"},
                          {"posts", "", "", "content"},
                          {"", "", "back*", "tools"}});
  struct Case {
    const char* what;
    Finding finding;
    const char* team;
  };
  const Case cases[] = {
      {"by its table", finding_of({"invoices", "posts"}, {}, {"backoffice"}), "billing"},
      {"a joined table does not count", finding_of({"users", "invoices"}, {}, {}), ""},
      {"all globs of a rule must fit", finding_of({"posts"}, {"UserController.show"}, {}),
       "content"},
      {"one of its routes is enough", finding_of({"posts"}, {"x", "PageController.show"}, {}),
       "pages"},
      {"by its application", finding_of({"users"}, {}, {"api", "backoffice"}), "tools"},
      {"without a table", finding_of({}, {}, {"backoffice"}), "tools"},
      {"nobody's", finding_of({"users"}, {"a"}, {"api"}), ""},
  };
  for (const Case& it : cases)
    EXPECT_EQ(owners.team_of(it.finding), it.team) << it.what;
}

TEST(OwnerList, WithoutRulesNothingHasATeam) {
  EXPECT_EQ(OwnerList().team_of(finding_of({"posts"}, {"a"}, {"b"})), "");
}

}  // namespace
}  // namespace ectoscope
