"""Words that name record types in attributes, and what else an attribute of requests may say."""

import re

RECORD_TYPES = (
    "account accountingPeriod advInterCompanyJournalEntry assemblyBuild assemblyItem billingSchedule bin calendarEvent"
    " cashRefund cashSale check classification contact creditMemo currency currencyRate customList customRecord"
    " customRecordType customer customerDeposit customerPayment customerRefund department deposit descriptionItem"
    " discountItem employee estimate expenseCategory expenseReport file folder giftCertificate inboundShipment"
    " interCompanyJournalEntry inventoryAdjustment inventoryItem inventoryTransfer invoice itemDemandPlan"
    " itemFulfillment itemReceipt itemSupplyPlan job journalEntry kitItem location lotNumberedInventoryItem"
    " nonInventoryPurchaseItem nonInventoryResaleItem nonInventorySaleItem note opportunity otherChargePurchaseItem"
    " otherChargeResaleItem otherChargeSaleItem partner paymentMethod phoneCall priceLevel pricingGroup purchaseOrder"
    " purchaseRequisition returnAuthorization revRecSchedule revRecTemplate salesOrder salesTaxItem"
    " serializedInventoryItem servicePurchaseItem serviceResaleItem serviceSaleItem state statisticalJournalEntry"
    " subsidiary subtotalItem supportCase task taxGroup taxType term timeBill transferOrder unitsType vendor vendorBill"
    " vendorCategory vendorCredit vendorPayment vendorReturnAuthorization vendorSubsidiaryRelationship workOrder"
)
"""The ones that clients of purchasing, payables and their neighbours name; there are more."""
GET_ALL_TYPES = (
    "budgetCategory campaignAudience campaignCategory campaignChannel campaignFamily campaignOffer campaignSearchEngine"
    " campaignSubscription campaignVertical currency leadSource state supportCaseIssue supportCaseOrigin"
    " supportCasePriority supportCaseStatus supportCaseType taxAcct"
)
"""What getAll can be asked for."""
INITIALIZE_TYPES = (
    "assemblyBuild assemblyUnbuild binWorksheet cashRefund cashSale creditMemo customerPayment customerRefund"
    " customPurchase customSale depositApplication estimate inventoryTransfer invoice itemFulfillment itemReceipt"
    " purchaseOrder returnAuthorization salesOrder vendorBill vendorCredit vendorPayment vendorReturnAuthorization"
    " workOrder workOrderClose workOrderCompletion workOrderIssue"
)
"""What initialize can fill."""
INITIALIZE_SOURCES = (
    "assemblyBuild assemblyItem cashSale creditMemo customer customerDeposit customPurchase customSale employee"
    " estimate interCompanyTransferOrder invoice location lotNumberedAssemblyItem opportunity purchaseOrder"
    " purchaseRequisition returnAuthorization salesOrder serializedAssemblyItem transferOrder vendor vendorBill"
    " vendorReturnAuthorization workOrder"
)
"""What initialize can fill it from."""

_KNOWN = {name.lower() for name in RECORD_TYPES.split()}
_WORD = re.compile(r"[a-z][A-Za-z]*")


def may_be_record_type(word: str) -> bool:
    """Tell whether a word that is not listed may be another of the vendor's types.

    What differs from a listed one only by its capitals is none, and neither is what does not look like one.
    """
    return word.lower() not in _KNOWN and _WORD.fullmatch(word) is not None
