/*
 * test_conntab.c - who is connected
 *
 * Process: a test program.
 * Trusts:  nothing.
 * Touches: memory of its own only.
 */
#include <stdlib.h>
#include <string.h>

#include "conntab.h"
#include "netaddr.h"
#include "unit.h"

#define MODEL_ADDRESSES 40
#define MODEL_PIDS      500
#define MODEL_STEPS     50000

static struct netaddr address(unsigned number)
{
    struct netaddr addr = {.family = number % 2 == 0 ? AF_INET : AF_INET6,
                           .port = (uint16_t)number};

    /* both families with the same first bytes */
    addr.bytes[2] = (uint8_t)(number / 2 >> 8);
    addr.bytes[3] = (uint8_t)(number / 2);
    return addr;
}

static void an_empty_table_counts_nothing(void **state)
{
    struct conntab *tab = conntab_new();
    struct netaddr addr = address(1);
    pid_t pid;

    (void)state;
    assert_int_equal(conntab_total(tab), 0);
    assert_int_equal(conntab_count(tab, &addr), 0);
    assert_int_equal(conntab_list(tab, &pid, 1), 0);
    assert_false(conntab_remove(tab, 1));
    conntab_free(tab);
}

static void the_port_of_a_client_does_not_count(void **state)
{
    struct conntab *tab = conntab_new();
    struct netaddr addr = address(2);

    (void)state;
    assert_true(conntab_add(tab, 1, &addr));
    addr.port = 9;
    assert_true(conntab_add(tab, 2, &addr));
    assert_int_equal(conntab_count(tab, &addr), 2);
    conntab_free(tab);
}

static void removing_twice_is_refused(void **state)
{
    struct conntab *tab = conntab_new();
    struct netaddr addr = address(2);

    (void)state;
    assert_true(conntab_add(tab, 7, &addr));
    assert_true(conntab_remove(tab, 7));
    assert_false(conntab_remove(tab, 7));
    assert_int_equal(conntab_total(tab), 0);
    assert_int_equal(conntab_count(tab, &addr), 0);
    conntab_free(tab);
}

/* What the table should say; -1: not connected. */
struct model {
    int address_of[MODEL_PIDS];
    size_t count[MODEL_ADDRESSES];
    size_t total;
};

static void compare(const struct conntab *tab, const struct model *model)
{
    assert_int_equal(conntab_total(tab), model->total);
    for (unsigned i = 0; i < MODEL_ADDRESSES; i++) {
        struct netaddr addr = address(i);

        assert_int_equal(conntab_count(tab, &addr), model->count[i]);
    }
}

static void compare_list(const struct conntab *tab, const struct model *model)
{
    pid_t pids[MODEL_PIDS];
    bool seen[MODEL_PIDS] = {false};

    assert_int_equal(conntab_list(tab, pids, MODEL_PIDS), model->total);
    for (size_t i = 0; i < model->total; i++) {
        assert_in_range(pids[i], 1, MODEL_PIDS);
        assert_false(seen[pids[i] - 1]);
        assert_int_not_equal(model->address_of[pids[i] - 1], -1);
        seen[pids[i] - 1] = true;
    }
}

static void random_operations_agree_with_a_model(void **state)
{
    struct conntab *tab = conntab_new();
    struct model model = {.total = 0};
    uint64_t random = 4711;

    (void)state;
    memset(model.address_of, 0xFF, sizeof(model.address_of));
    for (int step = 0; step < MODEL_STEPS; step++) {
        unsigned pid, number;

        random = random * 6364136223846793005U + 1442695040888963407U;
        pid = (unsigned)(random >> 33) % MODEL_PIDS;
        number = (unsigned)(random >> 45) % MODEL_ADDRESSES;
        if (model.address_of[pid] == -1) {
            struct netaddr addr = address(number);

            assert_true(conntab_add(tab, (pid_t)pid + 1, &addr));
            model.address_of[pid] = (int)number;
            model.count[number]++;
            model.total++;
        } else {
            assert_true(conntab_remove(tab, (pid_t)pid + 1));
            model.count[model.address_of[pid]]--;
            model.address_of[pid] = -1;
            model.total--;
        }
        if (step % 97 == 0) {
            compare(tab, &model);
            compare_list(tab, &model);
        }
    }
    conntab_free(tab);
}

static void growth_keeps_everybody(void **state)
{
    const unsigned many = 20000;
    struct conntab *tab = conntab_new();
    struct netaddr addr;
    pid_t *pids = calloc(many, sizeof(*pids));

    (void)state;
    assert_non_null(pids);
    for (unsigned i = 0; i < many; i++) {
        addr = address(i / 2); /* two sessions each */
        assert_true(conntab_add(tab, (pid_t)i + 1, &addr));
    }
    assert_int_equal(conntab_total(tab), many);
    for (unsigned i = 0; i < many / 2; i++) {
        addr = address(i);
        assert_int_equal(conntab_count(tab, &addr), 2);
    }
    assert_int_equal(conntab_list(tab, pids, many), many);
    for (unsigned i = 0; i < many; i += 2) {
        assert_true(conntab_remove(tab, (pid_t)i + 1));
    }
    assert_int_equal(conntab_total(tab), many / 2);
    for (unsigned i = 0; i < many / 2; i++) {
        addr = address(i);
        assert_int_equal(conntab_count(tab, &addr), 1);
    }
    free(pids);
    conntab_free(tab);
}

static void a_list_takes_no_more_than_it_has_room_for(void **state)
{
    struct conntab *tab = conntab_new();
    struct netaddr addr = address(3);
    pid_t pids[4] = {0, 0, 0, -7};

    (void)state;
    for (pid_t pid = 1; pid <= 100; pid++) {
        assert_true(conntab_add(tab, pid, &addr));
    }
    assert_int_equal(conntab_list(tab, pids, 3), 3);
    assert_int_equal(pids[3], -7);
    conntab_free(tab);
}

int main(void)
{
    UNIT_ADD(an_empty_table_counts_nothing);
    UNIT_ADD(the_port_of_a_client_does_not_count);
    UNIT_ADD(removing_twice_is_refused);
    UNIT_ADD(random_operations_agree_with_a_model);
    UNIT_ADD(growth_keeps_everybody);
    UNIT_ADD(a_list_takes_no_more_than_it_has_room_for);
    return unit_run("conntab");
}
